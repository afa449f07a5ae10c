#include "commands/command_line.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/numbers.h"
#include "commands/exit_status.h"

#include <stdio.h>
#include <string.h>

void refuse_value(const char *command, const char *name, const char *value, const char *must_be)
{
    die("%s: %s %s is not valid: must be %s", command, name, value, must_be);
}

int help_is_asked(int argc, char **argv)
{
    int i, asked = 0;
    for (i = 1; i < argc && argv[i]; ++i) asked |= !strcmp(argv[i], "--help") || !strcmp(argv[i], "-h");
    return asked;
}

/* argv[i], or NULL beyond its end. There are NULLs at the end of argv, too, after Darknet has removed options. */
static const char *argument(int argc, char **argv, int i)
{
    return i < argc ? argv[i] : 0;
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

/* Reads the option at argv[i]. Returns how many entries it takes. */
static int read_option_at(const char *command, command_option *option, int argc, char **argv, int i)
{
    const int length = option_length(option, argc, argv, i);
    const char *text = length == 2 ? argument(argc, argv, i + 1) : 0;
    if (option->given++) die("%s: %s is given twice", command, option->name);
    if (length == 2 && !text) die("%s: %s needs a value", command, option->name);
    if (option->kind == OPTION_FLAG)
        *(int *)option->value = 1;
    else if (option->kind == OPTION_TEXT || option->kind == OPTION_OUTPUT)
        *(const char **)option->value = text;
    else if (!text)
        *(long long *)option->value = 1;
    else
        read_number(command, option, text);
    return length;
}

int take_option(const char *command, command_option *option, int argc, char **argv)
{
    int i = 1, k;
    while (argument(argc, argv, i)) {
        int length;
        if (strcmp(argv[i], option->name)) {
            ++i;
            continue;
        }
        length = read_option_at(command, option, argc, argv, i);
        for (k = i; k < argc; ++k) argv[k] = (char *)argument(argc, argv, k + length);
    }
    return option->given;
}

static void read_word(command_line *line, int place, const char *word)
{
    enum { GROUP_AND_NAME = 2 };
    if (place < GROUP_AND_NAME) return;
    if (line->word_count == line->most_words)
        die("%s: unexpected argument %s (see darknet %s --help)", line->command, word, line->command);
    line->words[line->word_count++] = word;
}

static void check_outputs(const command_line *line)
{
    int k;
    for (k = 0; k < line->option_count; ++k) {
        const command_option *option = &line->options[k];
        const char *path = option->kind == OPTION_OUTPUT ? *(const char **)option->value : 0;
        int error;
        if (!path || !strcmp(path, "-")) continue;
        error = atomic_check(path);
        if (error) die("%s: %s: cannot write %s: %s", line->command, option->name, path, strerror(error));
    }
}

void read_command_line(command_line *line, int argc, char **argv)
{
    int i, k, place = 0, arguments = 0;
    if (help_is_asked(argc, argv)) {
        fputs(line->usage, stdout);
        leave(0);
    }
    line->word_count = 0;
    for (i = 0; i < line->most_words; ++i) line->words[i] = 0;
    for (i = 1; argument(argc, argv, i); ++arguments) {
        if (argv[i][0] != '-') {
            read_word(line, place++, argv[i++]);
            continue;
        }
        for (k = 0; k < line->option_count && strcmp(argv[i], line->options[k].name);) ++k;
        if (k == line->option_count)
            die("%s: unknown option %s (see darknet %s --help)", line->command, argv[i], line->command);
        i += read_option_at(line->command, &line->options[k], argc, argv, i);
    }
    if (line->word_count >= line->fewest_words) {
        check_outputs(line);
        return;
    }
    if (arguments > 2) die("%s: needs %s (see darknet %s --help)", line->command, line->needs, line->command);
    fputs(line->usage, stderr);
    leave(1);
}
