#include "commands/command_line.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/nearest_name.h"
#include "base/numbers.h"
#include "commands/exit_status.h"
#include "commands/file_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void refuse_value(const char *command, const char *name, const char *value, const char *must_be)
{
    die("%s: %s %.80s is not valid: must be %s", command, name, value, must_be);
}

const char *did_you_mean(const char *typed, const char *const *names, int count)
{
    static char text[128];
    const char *nearest = nearest_name(typed, names, count);
    text[0] = 0;
    if (nearest) snprintf(text, sizeof text, ": did you mean %s?", nearest);
    return text;
}

/* argv[i], or NULL beyond its end. There are NULLs at the end of argv, too, after Darknet has removed options. */
static const char *argument(int argc, char **argv, int i)
{
    return i < argc ? argv[i] : 0;
}

/* ---- Options ----------------------------------------------------------------------------------------------------- */

/* Those that every command takes; main() reads the first two. */
static int nothing;
static long long gpu;
static command_option everywhere[] = {
    {"-nogpu", OPTION_FLAG, &nothing, 0, 0, 0, 0},
    {"-i", OPTION_WHOLE, &gpu, -1, 1023, 0, 0},
    {"-dont_show", OPTION_FLAG, &nothing, 0, 0, 0, 0},
};
enum { EVERYWHERE = sizeof everywhere / sizeof *everywhere };

static command_option *find(const command_line *line, const char *name)
{
    int k;
    for (k = 0; line && k < line->option_count; ++k)
        if (!strcmp(name, line->options[k].name)) return &line->options[k];
    for (k = 0; k < EVERYWHERE; ++k)
        if (!strcmp(name, everywhere[k].name)) return &everywhere[k];
    return 0;
}

const command_option *find_option(const command_line *line, const char *name)
{
    return find(line, name);
}

int help_is_asked(const command_line *line, int argc, char **argv)
{
    int i, asked = 0;
    for (i = 1; argument(argc, argv, i); ++i) {
        const int has_value = argument(argc, argv, i + 1) && find(line, "-h");
        asked |= !strcmp(argv[i], "--help") || (!strcmp(argv[i], "-h") && !has_value);
    }
    return asked;
}

/* Whether the text has only characters of numbers: then it was meant as one, even if it is not valid. */
static int looks_like_a_number(const char *text)
{
    return text && *text && !text[strspn(text, "0123456789.+-")];
}

int option_length(const command_option *option, int argc, char **argv, int i)
{
    if (option->kind == OPTION_FLAG) return 1;
    if (option->kind == OPTION_WHOLE_OR_ALONE && !looks_like_a_number(argument(argc, argv, i + 1))) return 1;
    return 2;
}

static void read_number(const char *command, const command_option *option, const char *text)
{
    char range[100];
    const int whole = option->kind != OPTION_NUMBER;
    const int wrong =
        whole ? parse_whole_number(text, (long long)option->low, (long long)option->high, (long long *)option->value)
              : parse_number(text, option->low, option->high, (double *)option->value);
    if (!wrong) return;
    snprintf(range, sizeof range, "a %s from %.15g to %.15g", whole ? "whole number" : "number", option->low,
             option->high);
    refuse_value(command, option->name, text, option->must_be ? option->must_be : range);
}

static void read_list(const char *command, const command_option *option, const char *text)
{
    char *copy = xstrdup(text), *rest = copy, *item;
    long long number;
    while ((item = strsep(&rest, ",")))
        if (parse_whole_number(item, (long long)option->low, (long long)option->high, &number))
            refuse_value(command, option->name, text, "whole numbers with commas in between, as in 0,1");
    free(copy);
    *(const char **)option->value = text;
}

/* Reads the option at argv[i]. Returns how many entries it takes. */
static int read_option_at(const command_line *line, command_option *option, int argc, char **argv, int i)
{
    const char *command = line->command;
    const int length = option_length(option, argc, argv, i);
    const char *text = length == 2 ? argument(argc, argv, i + 1) : 0;
    if (option->given++) die("%s: %s is given twice", command, option->name);
    if (length == 2 && (!text || find(line, text))) die("%s: %s needs a value", command, option->name);
    if (option->kind == OPTION_FLAG)
        *(int *)option->value = 1;
    else if (option->kind == OPTION_TEXT || option->kind == OPTION_OUTPUT || option->kind == OPTION_PICTURE)
        *(const char **)option->value = text;
    else if (option->kind == OPTION_LIST)
        read_list(command, option, text);
    else if (!text)
        *(long long *)option->value = 1;
    else
        read_number(command, option, text);
    return length;
}

/* Ends the program with a line that names the nearest option. */
static void refuse_option(const command_line *line, const char *name)
{
    enum { MOST = 64 };
    const char *names[MOST];
    int k, count = 0;
    for (k = 0; k < line->option_count && count < MOST; ++k) names[count++] = line->options[k].name;
    for (k = 0; k < EVERYWHERE && count < MOST; ++k) names[count++] = everywhere[k].name;
    die("%s: unknown option %.80s%s (see darknet %s --help)", line->command, name, did_you_mean(name, names, count),
        line->command);
}

/* ---- The line ---------------------------------------------------------------------------------------------------- */

static void read_word(command_line *line, int place, const char *word)
{
    if (place < (line->alone ? 1 : 2)) return;
    if (line->word_count == line->most_words)
        die("%s: unexpected argument %.80s (see darknet %s --help)", line->command, word, line->command);
    line->words[line->word_count++] = word;
}

void check_picture_name(const char *command, const char *path)
{
    const char *slash = strrchr(path, '/'), *ending = strrchr(slash ? slash : path, '.');
    if (ending && strcasecmp(ending, ".png"))
        die("%s: pictures are written as PNG: %s does not end in .png", command, path);
}

static void check_outputs(const command_line *line)
{
    int k, i;
    for (k = 0; k < line->option_count; ++k) {
        const command_option *option = &line->options[k];
        const int is_output = option->kind == OPTION_OUTPUT || option->kind == OPTION_PICTURE;
        const char *path = is_output ? *(const char **)option->value : 0;
        int error;
        if (!path || !strcmp(path, "-")) continue;
        if (option->kind == OPTION_PICTURE) check_picture_name(line->command, path);
        for (i = 0; i < line->word_count; ++i)
            if (is_same_file(path, line->words[i]))
                die("%s: %s: %s would be overwritten: give it another name", line->command, option->name, path);
        error = atomic_check(path);
        if (error) die("%s: %s: cannot write %s: %s", line->command, option->name, path, strerror(error));
    }
}

/* The words and options. Returns how many arguments there are. */
static int read_arguments(command_line *line, int argc, char **argv)
{
    int i, place = 0, arguments = 0;
    for (i = 1; argument(argc, argv, i); ++arguments) {
        command_option *option = find(line, argv[i]);
        if (argv[i][0] != '-') {
            read_word(line, place++, argv[i++]);
            continue;
        }
        if (!option) refuse_option(line, argv[i]);
        i += read_option_at(line, option, argc, argv, i);
    }
    return arguments;
}

void read_command_line(command_line *line, int argc, char **argv)
{
    int i, arguments;
    if (help_is_asked(line, argc, argv)) {
        fputs(line->usage, stdout);
        leave(0);
    }
    line->word_count = 0;
    for (i = 0; i < line->most_words; ++i) line->words[i] = 0;
    arguments = read_arguments(line, argc, argv);
    if (line->word_count >= line->fewest_words) {
        check_file_kinds(line->command, line->needs, line->words, line->word_count);
        check_outputs(line);
        return;
    }
    if (arguments > (line->alone ? 1 : 2))
        die("%s: needs %s (see darknet %s --help)", line->command, line->needs, line->command);
    fputs(line->usage, stderr);
    leave(1);
}
