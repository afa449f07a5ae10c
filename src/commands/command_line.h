/* Reads the options of a command line from a table, with the same error messages for all commands.
 *
 *     long long top = 0;
 *     const char *words[2];
 *     command_option options[] = {{"-top", OPTION_WHOLE, &top, 1, 1000000, 0, 0}};
 *     command_line line = {"ols plot", usage, "<weights> <out.png>", options, 1, words, 2, 2, 0};
 *     read_command_line(&line, argc, argv);
 *
 * An error of the user ends the program with one line on stderr and status 1.
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

typedef enum {
    OPTION_FLAG,          /* without a value; *value becomes 1 */
    OPTION_TEXT,          /* -names <file> */
    OPTION_OUTPUT,        /* -json <file>: a file to be written; - is standard output */
    OPTION_NUMBER,        /* -nms .45 */
    OPTION_WHOLE,         /* -seed 7 */
    OPTION_WHOLE_OR_ALONE /* -map 4; -map alone means 1 */
} option_kind;

typedef struct {
    const char *name; /* "-seed" */
    option_kind kind;
    void *value; /* FLAG: int; TEXT, OUTPUT: const char *; NUMBER: double; WHOLE: long long. Unchanged if not given */
    double low, high;    /* of a number, both ends allowed */
    const char *must_be; /* allowed values, for an error message; NULL: made from low and high */
    int given;           /* set to 1 if the option was given */
} command_option;

/* A command of the plugin: `darknet <group> <name> <words and options, in any order>`. */
typedef struct {
    const char *command; /* "detector map": the start of every error message */
    const char *usage;   /* the text for --help and -h */
    const char *needs;   /* the required words, for an error message: "<weights> <out.png>" */
    command_option *options;
    int option_count;
    const char **words;           /* [most_words], the caller's; gets what is not an option, then NULLs */
    int fewest_words, most_words; /* not counting group and name */
    int word_count;               /* result */
} command_line;

/* Reads the whole command line; the first two words are the group and the name of the command. --help prints the usage
 * and ends the program with status 0. If nothing follows the name although words are required, the usage goes to stderr
 * and the status is 1. Texts and words point into argv. A file that could not be written is an error
 * here, before the command spends minutes on what is to be in it. */
void read_command_line(command_line *line, int argc, char **argv);

/* Removes one option from argv, wherever it stands, as Darknet's find_*_arg do; used for Darknet's own commands, which
 * read argv by position. Returns 1 if the option was given. */
int take_option(const char *command, command_option *option, int argc, char **argv);

/* The number of entries of argv that the option at argv[i] takes: 1 or 2. */
int option_length(const command_option *option, int argc, char **argv, int i);

/* Whether --help or -h is among the arguments. */
int help_is_asked(int argc, char **argv);

/* Ends the program with "<command>: <name> <value> is not valid: must be <must_be>". */
void refuse_value(const char *command, const char *name, const char *value, const char *must_be)
    __attribute__((noreturn));

#endif
