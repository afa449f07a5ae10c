/* All commands of the program in one table, and the options of those that are Darknet's: what the help says, what a
 * command line is checked against, and where an unknown word gets its nearest one from. The options of the plugin's own
 * commands are in tables beside their code. */
#ifndef COMMAND_TABLE_H
#define COMMAND_TABLE_H

#include "commands/command_line.h"

typedef struct {
    const char *group;  /* "detector" */
    const char *name;   /* "test"; NULL: the group is the command, as in `darknet ops` */
    const char *places; /* what follows: "<data> <cfg> [weights] [image...]"; <n> and [n] are whole numbers */
    const char *about;  /* one line for the lists, without "darknet" */
    int takes;          /* a command of Darknet: a bit; the options whose bits have it are its options */
    int (*run)(int argc, char **argv); /* a command of the plugin; NULL: Darknet's */
} command_row;

/* An option of a command of Darknet. */
typedef struct {
    command_option option;          /* value: NULL */
    int commands;                   /* bits of the commands that take it */
    void (*apply)(long long value); /* sets what the plugin does with it; NULL: Darknet reads it from argv */
    const char *value, *about;      /* for the help: "<n>" or "", and what it does */
} option_row;

/* The i-th row of a table; NULL past the last. */
const command_row *command_at(int i);
const option_row *darknet_option_at(int i);

/* The command of this group and name (NULL: the group alone). NULL if there is none. */
const command_row *command_of(const char *group, const char *name);

/* Whether any command has the group. */
int is_group(const char *group);

/* An experiment of Darknet's author (`rnn`, `yolo`, ...), of whose words no more is checked than this. */
typedef struct {
    const char *name, *commands; /* commands: names with blanks between them; "": none */
    int fewest_words;            /* behind the name */
    const char *words;           /* what they are, for the help */
} experiment_row;

/* NULL if the group is no experiment. */
const experiment_row *experiment_of(const char *group);

/* Whether Darknet's command does nothing in a build without OPENCV=1. */
int needs_opencv(const command_row *row);

/* "detector test"; "ops". Static storage, valid until the next call. */
const char *full_name(const command_row *row);

/* What `darknet --help` and `darknet detector --help` print; the group NULL stands for the former. Allocated. */
char *help_of_group(const char *group);

/* What `--help` of a command of Darknet prints. Allocated. */
char *help_of_command(const command_row *row);

#endif
