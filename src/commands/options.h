/* The options of a command line, read by a table: one wording for what is wrong with them, whatever the command.
 *
 *     long long top = 0;
 *     const char *words[2];
 *     command_option options[] = {{"-top", OPTION_WHOLE, &top, 1, 1000000, 0, 0}};
 *     command_line line = {"ols plot", usage, "<weights> <out.png>", options, 1, words, 2, 2, 0};
 *     read_command_line(&line, argc, argv);
 *
 * Everything here ends the program with one line on stderr and status 1 where the user wrote something wrong.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

typedef enum {
    OPTION_FLAG,          /* stands alone; its value becomes 1 */
    OPTION_TEXT,          /* -names <file> */
    OPTION_NUMBER,        /* -nms .45 */
    OPTION_WHOLE,         /* -seed 7 */
    OPTION_WHOLE_OR_ALONE /* -map 4, or -map, which is 1 */
} option_kind;

typedef struct {
    const char *name; /* "-seed" */
    option_kind kind;
    void *value;         /* FLAG: int; TEXT: const char *; NUMBER: double; WHOLE: long long. Written only when given */
    double low, high;    /* of a number, both ends allowed */
    const char *must_be; /* how an error says what is allowed; NULL: made from low and high */
    int given;           /* 1 after reading: the option was there */
} command_option;

/* A command whose whole command line is ours: `darknet <group> <name> <words and options, in any order>`. */
typedef struct {
    const char *command; /* "detector map": stands in front of every error */
    const char *usage;   /* the text for --help and -h */
    const char *needs;   /* the words that it needs, for an error: "<weights> <out.png>" */
    command_option *options;
    int option_count;
    const char **words;           /* most_words, the caller's: what is no option; NULL behind the last */
    int fewest_words, most_words; /* without group and name */
    int word_count;               /* after reading */
} command_line;

/* Reads argv[1], argv[2], ...; the first two words are the group and the name of the command. --help prints the usage
 * and ends the program with status 0; nothing at all behind the name, where something is needed, prints it to stderr
 * and ends with status 1. The values that are texts, and the words, stay argv's. */
void read_command_line(command_line *line, int argc, char **argv);

/* Takes one option out of argv, wherever it stands, as Darknet's find_*_arg do: for commands of Darknet's, which read
 * argv by position. Returns 1 where the option was there. */
int take_option(const char *command, command_option *option, int argc, char **argv);

/* How many entries of argv the option takes that stands at argv[i]: 1 or 2. */
int option_length(const command_option *option, int argc, char **argv, int i);

/* 1 where --help or -h is among the arguments. */
int help_is_asked(int argc, char **argv);

/* Ends the program with "<command>: <name> <value> is not valid: must be <must_be>". */
void refuse_value(const char *command, const char *name, const char *value, const char *must_be)
    __attribute__((noreturn));

#endif
