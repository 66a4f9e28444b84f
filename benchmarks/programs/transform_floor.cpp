// The four transformations by hand: read, parse, hash, write. What this machine can do at best on one core.
//
//     g++ -O3 -std=c++20 -o floor transform_floor.cpp && ./floor SOURCE TARGET
//
// The columns are where the generator puts them; a bad value or an embedded line end is not looked for.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

enum { PRIORITY = 4, ORDERED = 5, KEY = 6, SHIPPED = 7, REVENUE = 11, PROFIT = 13, COLUMNS = 14 };

// Open addressing, a power of two slots, at most half of them taken; 0 marks a free one.
struct Keys {
    std::vector<uint64_t> slots = std::vector<uint64_t>(1 << 16);
    size_t taken = 0;

    bool add(uint64_t key) {
        if (2 * ++taken > slots.size()) grow();
        return put(key + 1);
    }
    bool put(uint64_t entry) {
        size_t mask = slots.size() - 1, at = (entry * 0x9E3779B97F4A7C15u >> 20) & mask;
        for (; slots[at]; at = (at + 1) & mask)
            if (slots[at] == entry) return --taken, false;
        slots[at] = entry;
        return true;
    }
    void grow() {
        std::vector<uint64_t> old(slots.size() * 2);
        old.swap(slots);
        for (uint64_t entry : old)
            if (entry) put(entry);
    }
};

static int64_t number(std::string_view text) {
    int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

static double amount(std::string_view text) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

static int64_t day(std::string_view text) {  // M/D/YYYY as days of the proleptic calendar
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    size_t first = text.find('/'), second = text.find('/', first + 1);
    int64_t month = number(text.substr(0, first)), date = number(text.substr(first + 1, second - first - 1));
    int64_t year = number(text.substr(second + 1)), last = year - 1;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return last * 365 + last / 4 - last / 100 + last / 400 + before[month - 1] + (leap && month > 2) + date;
}

static const char *split(const char *at, const char *end, std::string_view *fields) {
    for (int column = 0; column < COLUMNS; column++) {
        const char *start = at;
        bool quoted = false;
        for (; at < end && (quoted || (*at != ',' && *at != '\n')); at++)
            if (*at == '"') quoted = !quoted;
        fields[column] = {start, static_cast<size_t>(at++ - start)};
    }
    std::string_view &tail = fields[COLUMNS - 1];
    if (!tail.empty() && tail.back() == '\r') tail.remove_suffix(1);
    return at;
}

static const char *word(char priority) {
    return priority == 'L' ? "Low" : priority == 'M' ? "Medium" : priority == 'H' ? "High" : "Critical";
}

static void write_row(FILE *out, const std::string_view *fields) {
    char line[4096], *at = line;
    auto copy = [&at](std::string_view text) { at = static_cast<char *>(mempcpy(at, text.data(), text.size())); };
    for (int column = 0; column < COLUMNS; column++) {
        copy(column == PRIORITY ? std::string_view(word(fields[column][0])) : fields[column]);
        *at++ = ',';
    }
    at = std::to_chars(at, line + sizeof line, day(fields[SHIPPED]) - day(fields[ORDERED])).ptr;
    *at++ = ',';
    if (double revenue = amount(fields[REVENUE])) at = std::to_chars(at, line + sizeof line, amount(fields[PROFIT]) / revenue).ptr;
    *at++ = '\n';
    fwrite_unlocked(line, 1, at - line, out);
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    int file = open(arguments[1], O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status)) return perror(arguments[1]), 1;
    const char *at = static_cast<const char *>(mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE, file, 0));
    if (at == MAP_FAILED) return perror("mmap"), 1;
    const char *end = at + status.st_size, *mapped = at, *released = at;
    FILE *out = fopen(arguments[2], "w");
    if (!out) return perror(arguments[2]), 1;
    setvbuf(out, nullptr, _IOFBF, 1 << 20);
    const char *line = static_cast<const char *>(memchr(at, '\n', end - at));
    fwrite(at, 1, line - at - (line[-1] == '\r'), out);
    fputs(",Order Processing Time,Gross Margin\n", out);
    Keys keys;
    std::string_view fields[COLUMNS];
    for (at = line + 1; at < end;) {
        at = split(at, end, fields);
        if (keys.add(number(fields[KEY]))) write_row(out, fields);
        if (at - released > 8 << 20) {  // pages that were read need not count as ours
            size_t done = (at - mapped) & ~size_t{4095};
            madvise(const_cast<char *>(mapped), done, MADV_DONTNEED);
            released = at;
        }
    }
    return fclose(out) ? 1 : 0;
}
