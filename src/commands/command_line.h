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
    OPTION_PICTURE,       /* -plot <png>: the same, for a picture; check_picture_name */
    OPTION_NUMBER,        /* -nms .45 */
    OPTION_WHOLE,         /* -seed 7 */
    OPTION_LIST,          /* -gpus 0,1: whole numbers with commas in between */
    OPTION_WHOLE_OR_ALONE /* -map 4; -map alone means 1 */
} option_kind;

typedef struct {
    const char *name; /* "-seed" */
    option_kind kind;
    void *value; /* FLAG: int; TEXT, OUTPUT, PICTURE, LIST: const char *; NUMBER: double; WHOLE: long long. Unchanged if
                    not given */
    double low, high;    /* of a number, both ends allowed */
    const char *must_be; /* allowed values, for an error message; NULL: made from low and high */
    int given;           /* set to 1 if the option was given */
} command_option;

/* A command of the plugin: `darknet <group> <name> <words and options, in any order>`. */
typedef struct {
    const char *command; /* "detector map": the start of every error message */
    const char *usage;   /* the text for --help and -h */
    const char *needs; /* the words, for an error message and to check the files: "<weights> <out.png>"; file_kind.h */
    command_option *options;
    int option_count;
    const char **words;           /* [most_words], the caller's; gets what is not an option, then NULLs */
    int fewest_words, most_words; /* not counting group and name */
    int word_count;               /* result */
    int alone;                    /* 1: the command has no group, as `darknet ops` */
} command_line;

/* Reads the whole command line; the first two words are the group and the name of the command. --help prints the usage
 * and ends the program with status 0. If nothing follows the name although words are required, the usage goes to stderr
 * and the status is 1. Texts and words point into argv. An unknown option is an error that names the nearest one, and
 * so is a file of another kind than `needs` asks for in its place, or one that could not be written: here, before the
 * command spends minutes on what is to be in it. Every command takes -nogpu and -i <n>, which are main()'s, and
 * -dont_show, by which a build with OPENCV=1 opens no window (eval/display.h). */
void read_command_line(command_line *line, int argc, char **argv);

/* The option of this name, of the command or of all commands; NULL if there is none. */
const command_option *find_option(const command_line *line, const char *name);

/* The number of entries of argv that the option at argv[i] takes: 1 or 2. */
int option_length(const command_option *option, int argc, char **argv, int i);

/* Whether --help or -h is among the arguments. Where the command (NULL: none) has an option -h, it is that, if anything
 * follows. */
int help_is_asked(const command_line *line, int argc, char **argv);

/* What may follow an unknown name in a message: ": did you mean NAME?", or "" where none is near. Static storage, valid
 * until the next call. */
const char *did_you_mean(const char *typed, const char *const *names, int count);

/* Ends the program if a name asks for another format than PNG, which all pictures of the plugin have, by its ending. A
 * name without an ending asks for none. */
void check_picture_name(const char *command, const char *path);

/* Ends the program with "<command>: <name> <value> is not valid: must be <must_be>". */
void refuse_value(const char *command, const char *name, const char *value, const char *must_be)
    __attribute__((noreturn));

#endif
