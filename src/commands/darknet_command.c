#include "commands/darknet_command.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/numbers.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPTIONS = 32 };

/* An option of the command with room for its value. */
typedef struct {
    const option_row *row;
    union {
        int flag;
        const char *text;
        double number;
        long long whole;
    } value;
} darknet_option;

/* Ends the program where an option is one of other commands alone. */
static void refuse_option_of_others(const char *command, const command_row *row, const char *typed)
{
    const option_row *option;
    const command_row *other;
    int i, k, known = 0;
    for (i = 0; (option = darknet_option_at(i)); ++i)
        if (!strcmp(option->option.name, typed)) known |= option->commands;
    if (!known || known & row->takes) return;
    for (k = 0; (other = command_at(k)); ++k)
        if (other->takes & known) die("%s: %s is an option of %s", command, typed, full_name(other));
}

/* Ends the program where a word in a place that is called n is no whole number. */
static void check_numbers(const command_line *line, const char *places)
{
    const char *place = places;
    long long n;
    int i;
    for (i = 0; i < line->word_count; ++i) {
        const size_t length = strcspn(place, " ");
        if (length == strlen("<n>") && place[1] == 'n' && parse_whole_number(line->words[i], 0, INT_MAX, &n))
            die("%s: %.80s is not valid: n must be a whole number from 0 to %d", line->command, line->words[i],
                INT_MAX);
        if (place[length]) place += length + 1;
    }
}

/* Sets how many words the places ask for. */
static void count_places(const char *places, int argc, command_line *line)
{
    const char *place;
    line->fewest_words = line->most_words = 0;
    for (place = places; (place = strpbrk(place, "<[")); ++place) {
        line->fewest_words += *place == '<';
        ++line->most_words;
    }
    if (strstr(places, "...")) line->most_words = argc;
}

/* Whether the plugin takes the option, so that Darknet must not see it. */
static int is_ours(const command_line *line, const darknet_option *values, const command_option *option)
{
    const ptrdiff_t at = option - line->options;
    if (at >= 0 && at < line->option_count) return values[at].row->apply != 0;
    return !strcmp(option->name, "-dont_show");
}

/* Words first, then the options that Darknet reads, then NULLs. */
static void put_in_order(const command_line *line, const darknet_option *values, int argc, char **argv)
{
    char **kept = (char **)xcalloc(argc + 1, sizeof *kept);
    int i, k, count = 0, words = 1;
    for (i = 1; i < argc && argv[i];) {
        const command_option *option = find_option(line, argv[i]);
        const int length = option ? option_length(option, argc, argv, i) : 1;
        for (k = 0; option && k < length && !is_ours(line, values, option); ++k) kept[count++] = argv[i + k];
        if (!option) argv[words++] = argv[i];
        i += length;
    }
    for (i = words; i < argc; ++i) argv[i] = i - words < count ? kept[i - words] : 0;
    free(kept);
}

/* Fills in the options of the command; `values` has room for as many. */
static void list_options(const command_row *row, command_line *line, darknet_option *values)
{
    const option_row *option;
    int i;
    for (i = 0; (option = darknet_option_at(i)) && line->option_count < MOST_OPTIONS; ++i) {
        if (!(option->commands & row->takes)) continue;
        values[line->option_count].row = option;
        line->options[line->option_count] = option->option;
        line->options[line->option_count].value = &values[line->option_count].value;
        ++line->option_count;
    }
}

static void refuse_options_of_others(const command_row *row, const command_line *line, int argc, char **argv)
{
    int i;
    for (i = 1; i < argc && argv[i] && !help_is_asked(line, argc, argv);) {
        const command_option *known = find_option(line, argv[i]);
        if (!known && argv[i][0] == '-') refuse_option_of_others(line->command, row, argv[i]);
        i += known ? option_length(known, argc, argv, i) : 1;
    }
}

void read_darknet_command(const command_row *row, int argc, char **argv)
{
    darknet_option values[MOST_OPTIONS];
    command_option options[MOST_OPTIONS];
    command_line line = {0};
    char *usage = help_of_command(row), *command = xstrdup(full_name(row));
    int i;
    line.command = command;
    line.usage = usage;
    line.needs = row->places;
    line.options = options;
    line.words = (const char **)xcalloc(argc + 1, sizeof *line.words);
    line.alone = !row->name;
    count_places(row->places, argc, &line);
    list_options(row, &line, values);
    refuse_options_of_others(row, &line, argc, argv);
    read_command_line(&line, argc, argv);
    check_numbers(&line, row->places);
    for (i = 0; i < line.option_count; ++i)
        if (options[i].given && values[i].row->apply)
            values[i].row->apply(options[i].kind == OPTION_FLAG ? values[i].value.flag : values[i].value.whole);
    put_in_order(&line, values, argc, argv);
    free(line.words);
    free(command);
    free(usage);
}
