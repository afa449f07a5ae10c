#include "commands/commands.h"

#include "accel/cpu/accel_cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "commands/command_line.h"
#include "commands/command_table.h"
#include "commands/darknet_command.h"
#include "commands/exit_status.h"
#include "commands/version.h"
#include "eval/display.h"
#include "train/checkpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Which command it is ----------------------------------------------------------------------------------------- */

/* The length of the option at argv[i] that stands before the command's name: of those that every command takes, or of a
 * command of Darknet. 0 if there is no such option. */
static int length_before_name(int argc, char **argv, int i)
{
    const command_option *option = find_option(0, argv[i]);
    int k;
    if (!strcmp(argv[i], "-h")) return 0; /* here it asks for help: it is a height only in a command that has one */
    for (k = 0; !option && darknet_option_at(k); ++k)
        if (!strcmp(argv[i], darknet_option_at(k)->option.name)) option = &darknet_option_at(k)->option;
    return option ? option_length(option, argc, argv, i) : 0;
}

/* The place in argv of the n-th word of the command line (1: the group, such as "detector"), not counting options, or
 * of an option that no command knows. 0 if there are fewer words. */
static int place_of_word(int argc, char **argv, int n)
{
    int i = 1;
    while (i < argc && argv[i]) {
        const int length = argv[i][0] == '-' ? length_before_name(argc, argv, i) : 0;
        if (length)
            i += length;
        else if (argv[i][0] == '-' || --n == 0)
            return i;
        else
            ++i;
    }
    return 0;
}

static const char *word(int argc, char **argv, int n)
{
    const int place = place_of_word(argc, argv, n);
    return place ? argv[place] : 0;
}

static int word_is(int argc, char **argv, int n, const char *text)
{
    const char *is = word(argc, argv, n);
    return is && !strcmp(is, text);
}

static int has_flag(int argc, char **argv, const char *flag)
{
    int i;
    for (i = 1; i < argc && argv[i]; ++i)
        if (!strcmp(argv[i], flag)) return 1;
    return 0;
}

/* The command on the command line. NULL if it is none of the table. */
static const command_row *command_on(int argc, char **argv)
{
    const char *group = word(argc, argv, 1), *name = word(argc, argv, 2);
    const command_row *row = group ? command_of(group, 0) : 0;
    return row || !group || !name ? row : command_of(group, name);
}

/* ---- Before the command ------------------------------------------------------------------------------------------ */

/* Restarts the program with a small GOMP_SPINCOUNT, unless the user has set how threads wait; a restart, because
 * libgomp reads the variable before main(). An OpenMP thread that waits for its next part of a loop spins, by default
 * for milliseconds. If the machine does other work at the same time, such as loading images, spinning threads take the
 * CPU away from the thread that they wait for, and a step can take ten times as long. */
static void restart_with_short_waits(char **argv)
{
#ifdef _OPENMP
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    if (setenv("GOMP_SPINCOUNT", "1000", 1)) return;
    execvp(argv[0], argv); /* returns only if it fails; then the program continues, but is slower */
#else
    (void)argv;
#endif
}

/* Prints a text on stdout and ends the program with status 0, or on stderr with status 1. */
static void explain(char *text, int status)
{
    fputs(text, status ? stderr : stdout);
    free(text);
    leave(status);
}

/* What is asked about the program, not of a command: no arguments at all are a question, too. */
static void answer_version_and_help(int argc, char **argv)
{
    if (word_is(argc, argv, 1, "--version") || word_is(argc, argv, 1, "-version")) {
        print_version();
        leave(0);
    }
    if (argc < 2 || word_is(argc, argv, 1, "--help") || word_is(argc, argv, 1, "-h") || word_is(argc, argv, 1, "help"))
        explain(help_of_group(0), 0);
}

/* Rejects several GPUs in a build without GPU=1, where Darknet would train the first network and ignore the others. */
static void check_gpus(int argc, char **argv)
{
#ifndef GPU
    int i;
    for (i = 1; i + 1 < argc && argv[i]; ++i)
        if (!strcmp(argv[i], "-gpus") && argv[i + 1] && strchr(argv[i + 1], ','))
            die("-gpus %.80s: several GPUs need a build with GPU=1", argv[i + 1]);
#else
    (void)argc, (void)argv;
#endif
}

/* main() reads -i of every command before the command does, and takes a word for GPU 0. */
static void check_gpu(int argc, char **argv)
{
    const command_option *option = find_option(0, "-i");
    long long gpu;
    int i;
    for (i = 1; i + 1 < argc && argv[i]; ++i)
        if (!strcmp(argv[i], option->name) && argv[i + 1] &&
            parse_whole_number(argv[i + 1], (long long)option->low, (long long)option->high, &gpu))
            die("-i %.80s is not valid: must be a whole number from %.0f to %.0f", argv[i + 1], option->low,
                option->high);
}

/* A demo of Darknet ends with status 0 and without a word where it was built without what it needs. */
static void refuse_without_opencv(const command_row *row)
{
#ifndef OPENCV
    if (needs_opencv(row)) die("%s needs a build with OPENCV=1", full_name(row));
#else
    (void)row;
#endif
}

/* Ends the program where an option stands before the command's name that no command of Darknet has. */
static void refuse_option_before_name(const char *typed)
{
    enum { MOST = 64 };
    const char *names[MOST];
    int count = 0;
    for (; count < MOST && darknet_option_at(count); ++count) names[count] = darknet_option_at(count)->option.name;
    die("unknown option %.80s before the command's name%s (see darknet --help)", typed,
        did_you_mean(typed, names, count));
}

/* Ends the program where it is asked for help, or where the experiment has no such command, or too few words. */
static void check_experiment(const experiment_row *row, int argc, char **argv)
{
    enum { MOST = 16 };
    const char *names[MOST], *name = word(argc, argv, 2);
    char *words = xstrdup(row->commands), *rest = words;
    int count = 0, known = !*words;
    if (help_is_asked(0, argc, argv)) explain(help_of_group(row->name), 0);
    for (; name && !known && count < MOST && (names[count] = strsep(&rest, " ")); ++count)
        known = !strcmp(names[count], name);
    if (name && !known)
        die("no command %s %.80s%s (see darknet %s --help)", row->name, name, did_you_mean(name, names, count),
            row->name);
    if (!word(argc, argv, 1 + row->fewest_words)) explain(help_of_group(row->name), 1);
#ifndef OPENCV
    if (!strcmp(row->name, "art") || !strcmp(name, "demo"))
        die("%s%s%s needs a build with OPENCV=1", row->name, *words ? " " : "", *words ? name : "");
#endif
    free(words);
}

/* Ends the program where the command line has no command of the table: with the help where only the group is there, or
 * with a line that names the nearest one. */
static void refuse_unknown(int argc, char **argv)
{
    enum { MOST = 128 };
    const char *names[MOST], *group = word(argc, argv, 1), *name = word(argc, argv, 2);
    const command_row *row;
    int i, count = 0;
    if (!group) die("no command: see darknet --help");
    if (*group == '-') refuse_option_before_name(group);
    if (experiment_of(group)) {
        check_experiment(experiment_of(group), argc, argv);
        return;
    }
    if (is_group(group) && (!name || help_is_asked(0, argc, argv) || !strcmp(name, "help")))
        explain(help_of_group(group), !name);
    if (is_group(group) && *name == '-') refuse_option_before_name(name);
    for (i = 0; (row = command_at(i)) && count < MOST; ++i) {
        if (!is_group(group))
            names[count++] = row->group;
        else if (!strcmp(row->group, group))
            names[count++] = row->name;
    }
    if (!is_group(group)) die("no command %.80s%s (see darknet --help)", group, did_you_mean(group, names, count));
    die("no command %s %.80s%s (see darknet %s --help)", group, name, did_you_mean(name, names, count), group);
}

/* Settings that some commands of Darknet need. */
static void set_policies(int argc, char **argv)
{
    /* These commands read the outputs of inner layers, which are in another layout when a plan is used. */
    if ((word_is(argc, argv, 1, "classifier") && word_is(argc, argv, 2, "try")) || word_is(argc, argv, 1, "lsd"))
        accel_allow_plans(0);
    if (word_is(argc, argv, 2, "train"))
        checkpoint_load_for(has_flag(argc, argv, "-clear") ? LOAD_TO_TRAIN : LOAD_TO_RESUME);
}

static int is_without_gpu(const command_row *row)
{
    return !strcmp(row->group, "ols") || !strcmp(row->group, "check");
}

/* A file that is opened while 0, 1 or 2 is closed would get that number, and what is printed would be written to it. */
static void occupy_standard_files(void)
{
    int file;
    while ((file = open("/dev/null", O_RDWR)) >= 0 && file <= STDERR_FILENO) continue;
    if (file > STDERR_FILENO) close(file);
}

void commands_begin(int argc, char **argv)
{
    const command_row *row;
    restart_with_short_waits(argv);
    occupy_standard_files();
    /* Line buffering, so that a training log written to a file is up to date. */
    setvbuf(stdout, 0, _IOLBF, 0);
    guard_exit_status();
    answer_version_and_help(argc, argv);
    row = command_on(argc, argv);
    if (!row) refuse_unknown(argc, argv);
    if (has_flag(argc, argv, "-dont_show")) display_hide();
    check_gpus(argc, argv);
    if (row && !row->run) {
        read_darknet_command(row, argc, argv);
        refuse_without_opencv(row);
    }
    set_policies(argc, argv);
    /* What needs no GPU, and help, before one is asked for. */
    if (row && row->run && (is_without_gpu(row) || help_is_asked(0, argc, argv))) leave(row->run(argc, argv));
    check_gpu(argc, argv);
}

int commands_run(int argc, char **argv)
{
    const command_row *row = command_on(argc, argv);
    int count = 0;
    if (row && row->run) leave(row->run(argc, argv));
    while (count < argc && argv[count]) ++count;
    return count;
}

void commands_end(void)
{
    expect_end();
}
