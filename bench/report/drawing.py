"""What the charts of all reports have in common: colours, type and how they become SVG."""

from typing import Any, TypeAlias

import altair as alt
import msgspec
import vl_convert

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
INK = "currentColor"  # the page's own text colour, in the light and in the dark
GRID = "#8883"

# Told apart with any of the common colour deficiencies; what is no provider's is grey.
GREY = "#8a8f98"
PALETTE = ("#e08a1e", "#3f8fd2", "#1fa187", "#b65fc4", "#d1495b", "#7a6ff0")
WIDE = 780
SHOWN_CALLS = 2000  # dots a panel; more make the file large and the picture no clearer

Values: TypeAlias = list[dict[str, Any]]
Drawn: TypeAlias = alt.VConcatChart | alt.HConcatChart | alt.LayerChart | alt.FacetChart


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One chart.

    Attributes:
        title: What it shows.
        note: How to read it.
        svg: The picture.
        half: It is half as wide as the page, and stands beside another where there is room.
    """

    title: str
    note: str
    svg: str
    half: bool = False


def chart(values: Values) -> alt.Chart:
    """A chart of values that stand in it."""
    return alt.Chart(alt.InlineData(values=values))


def figure(title: str, note: str, drawn: Drawn) -> Figure:
    """A chart as a picture, in the report's colours and type."""
    styled = drawn.configure(background="transparent", font=FONT, padding=4)
    styled = styled.configure_axis(
        labelColor=INK,
        titleColor=INK,
        gridColor=GRID,
        domain=False,
        tickColor=GRID,
        labelFontSize=12,
        titleFontSize=12,
        titleFontWeight="normal",
    )
    styled = styled.configure_title(color=INK, anchor="start", fontSize=13, fontWeight=600)
    styled = styled.configure_legend(labelColor=INK, labelFontSize=12, symbolType="square")
    styled = styled.configure_view(stroke=None)
    # The library's limit on rows guards notebooks against large pages; SHOWN_CALLS does so here.
    with alt.data_transformers.enable("default", max_rows=None):
        return Figure(title=title, note=note, svg=vl_convert.vegalite_to_svg(styled.to_dict()))
