"""What generated sales records are made of: regions with their countries, items with price and cost.

A few names end in a blank and one has an apostrophe, as in the sample files that the course hands out: both must
survive the whole pipeline.
"""

COUNTRIES: dict[str, tuple[str, ...]] = {
    "Asia": (
        "Bangladesh", "Bhutan", "Brunei", "Cambodia", "China", "India", "Indonesia", "Japan", "Kazakhstan",
        "Kyrgyzstan", "Laos", "Malaysia", "Maldives", "Mongolia", "Myanmar", "Nepal", "North Korea",
        "Philippines", "Singapore", "South Korea", "Sri Lanka", "Taiwan", "Tajikistan", "Thailand",
        "Turkmenistan", "Uzbekistan", "Vietnam",
    ),
    "Australia and Oceania": (
        "Australia", "East Timor", "Federated States of Micronesia", "Fiji", "Kiribati", "Marshall Islands",
        "Nauru", "New Zealand", "Palau", "Papua New Guinea", "Samoa ", "Solomon Islands", "Tonga", "Tuvalu",
        "Vanuatu",
    ),
    "Central America and the Caribbean": (
        "Antigua and Barbuda ", "Barbados", "Belize", "Costa Rica", "Cuba", "Dominica", "Dominican Republic",
        "El Salvador", "Grenada", "Guatemala", "Haiti", "Honduras", "Jamaica", "Nicaragua", "Panama",
        "Saint Kitts and Nevis ", "Saint Lucia", "Saint Vincent and the Grenadines", "The Bahamas",
        "Trinidad and Tobago",
    ),
    "Europe": (
        "Albania", "Andorra", "Armenia", "Austria", "Belarus", "Belgium", "Bosnia and Herzegovina", "Bulgaria",
        "Croatia", "Cyprus", "Czech Republic", "Denmark", "Estonia", "Finland", "France", "Georgia", "Germany",
        "Greece", "Hungary", "Iceland", "Ireland", "Italy", "Kosovo", "Latvia", "Liechtenstein", "Lithuania",
        "Luxembourg", "Macedonia", "Malta", "Moldova ", "Monaco", "Montenegro", "Netherlands", "Norway", "Poland",
        "Portugal", "Romania", "Russia", "San Marino", "Serbia", "Slovakia", "Slovenia", "Spain", "Sweden",
        "Switzerland", "Ukraine", "United Kingdom", "Vatican City",
    ),
    "Middle East and North Africa": (
        "Afghanistan", "Algeria", "Azerbaijan", "Bahrain", "Egypt", "Iran", "Iraq", "Israel", "Jordan", "Kuwait",
        "Lebanon", "Libya", "Morocco", "Oman", "Pakistan", "Qatar", "Saudi Arabia", "Somalia", "Syria", "Tunisia ",
        "Turkey", "United Arab Emirates", "Yemen",
    ),
    "North America": ("Canada", "Greenland", "Mexico", "United States of America"),
    "Sub-Saharan Africa": (
        "Angola", "Benin", "Botswana", "Burkina Faso", "Burundi", "Cameroon", "Cape Verde",
        "Central African Republic", "Chad", "Comoros", "Cote d'Ivoire", "Democratic Republic of the Congo",
        "Djibouti", "Equatorial Guinea", "Eritrea", "Ethiopia", "Gabon", "Ghana", "Guinea", "Guinea-Bissau",
        "Kenya", "Lesotho", "Liberia", "Madagascar", "Malawi", "Mali", "Mauritania", "Mauritius ", "Mozambique",
        "Namibia", "Niger", "Nigeria", "Republic of the Congo", "Rwanda", "Sao Tome and Principe", "Senegal",
        "Seychelles ", "Sierra Leone", "South Africa", "South Sudan", "Sudan", "Swaziland", "Tanzania", "The Gambia",
        "Togo", "Uganda", "Zambia", "Zimbabwe",
    ),
}  # fmt: skip

# Item: unit price and unit cost.
ITEMS: dict[str, tuple[str, str]] = {
    "Baby Food": ("255.28", "159.42"),
    "Beverages": ("47.45", "31.79"),
    "Cereal": ("205.70", "117.11"),
    "Clothes": ("109.28", "35.84"),
    "Cosmetics": ("437.20", "263.33"),
    "Fruits": ("9.33", "6.92"),
    "Household": ("668.27", "502.54"),
    "Meat": ("421.89", "364.69"),
    "Office Supplies": ("651.21", "524.96"),
    "Personal Care": ("81.73", "56.67"),
    "Snacks": ("152.58", "97.44"),
    "Vegetables": ("154.06", "90.93"),
}
