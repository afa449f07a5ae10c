#include "commands/commands.h"

#include "accel/cpu/accel_cpu.h"
#include "base/error.h"
#include "commands/classifier_metrics.h"
#include "commands/detector_anchors.h"
#include "commands/detector_map.h"
#include "commands/options.h"
#include "commands/version.h"
#include "data/loading.h"
#include "data/photo.h"
#include "data/random_stream.h"
#include "train/checkpoint.h"
#include "train/detector_training.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The options of the trainers --------------------------------------------------------------------------------- */

enum { MEGABYTE = 1 << 20 };

static void apply_seed(long long seed)
{
    random_set_seed((unsigned)seed);
}

static void apply_loaders(long long threads)
{
    loading_set_threads((int)threads);
}

static void apply_cache(long long megabytes)
{
    photo_set_limit((size_t)megabytes * MEGABYTE);
}

static void apply_map(long long epochs)
{
    detector_training_set_map((int)epochs);
}

/* The commands that take options of ours, as bits. */
enum { CLASSIFIER_TRAIN = 1, DETECTOR_TRAIN = 2 };

/* The options that are taken out of argv before Darknet reads it by position: ours from the trainers (other commands
 * may have one of that name: `rnn generate` has a -seed that is a text), and main()'s own from every command. */
static const struct {
    command_option option;
    int commands;                   /* that take it; 0: main() takes it out */
    void (*apply)(long long value); /* NULL for main()'s */
} options[] = {
    {{"-seed", OPTION_WHOLE, 0, 0, 0xffffffffu, 0, 0}, CLASSIFIER_TRAIN | DETECTOR_TRAIN, apply_seed},
    {{"-loaders", OPTION_WHOLE, 0, 0, 1024, 0, 0}, CLASSIFIER_TRAIN | DETECTOR_TRAIN, apply_loaders},
    {{"-cache", OPTION_WHOLE, 0, 0, (size_t)-1 / MEGABYTE / 2, 0, 0}, CLASSIFIER_TRAIN | DETECTOR_TRAIN, apply_cache},
    {{"-map", OPTION_WHOLE_OR_ALONE, 0, 1, 1000000, "a whole number of epochs from 1 to 1000000", 0},
     DETECTOR_TRAIN,
     apply_map},
    {{"-i", OPTION_WHOLE, 0, 0, 0, 0, 0}, 0, 0},
    {{"-nogpu", OPTION_FLAG, 0, 0, 0, 0, 0}, 0, 0},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const char trainer_usage[] =
    "usage: darknet detector train <data> <cfg> [weights] [options]\n"
    "       darknet classifier train <data> <cfg> [weights] [options]\n"
    "    -map [n]       detector: evaluate on the valid= list every n epochs (1), keep the best weights, a CSV log and "
    "a chart\n"
    "    -clear         forget how many images the weights have seen, and their soft labels\n"
    "    -seed <n>      repeat a run: weights, images and their augmentation\n"
    "    -loaders <n>   threads that load images (default: one a processor)\n"
    "    -cache <MB>    decoded images kept in memory\n"
    "    -gpus <i,j>    train on these; -i <n> or -nogpu: on that one, or on the CPU\n"
    "<data> has train=, classes=, names=, backup= (a folder that is there) and for -map valid=\n";

/* ---- Which command it is ----------------------------------------------------------------------------------------- */

/* The n-th word of the command line (1: the group, as in `detector train`), without the options of the table. NULL
 * where there are fewer. */
static const char *word(int argc, char **argv, int n)
{
    int i = 1, k;
    while (i < argc && argv[i]) {
        for (k = 0; k < OPTIONS && strcmp(argv[i], options[k].option.name);) ++k;
        if (k < OPTIONS)
            i += option_length(&options[k].option, argc, argv, i);
        else if (--n == 0)
            return argv[i];
        else
            ++i;
    }
    return 0;
}

static int word_is(int argc, char **argv, int n, const char *text)
{
    const char *is = word(argc, argv, n);
    return is && !strcmp(is, text);
}

static int is_command(int argc, char **argv, const char *group, const char *name)
{
    return word_is(argc, argv, 1, group) && word_is(argc, argv, 2, name);
}

/* ---- The exit status --------------------------------------------------------------------------------------------- */

/* 1 once the program means to end with the status that it gives to exit(). */
static int finished;

static void correct_status(int status, void *unused)
{
    (void)unused;
    if (finished) return;
    fflush(0);
    _exit(status ? status : 1);
}

/* Darknet leaves with exit(0) where it cannot load an image (src/image.c, which the patches leave alone): that becomes
 * status 1. It also leaves from loader threads while others still work, and then the destructors of libraries must not
 * run, which would free what those threads use. */
static void guard_status(void)
{
    on_exit(correct_status, 0);
}

void commands_end(void)
{
    finished = 1;
}

void commands_leave(int status)
{
    finished = 1;
    exit(status);
}

/* ---- Before the command ------------------------------------------------------------------------------------------ */

/* Starts the program again with a short GOMP_SPINCOUNT, unless the user has set how threads wait: libgomp reads it
 * before main() begins. A thread of OpenMP that waits for its next part of a loop spins, by default for milliseconds.
 * On a machine that does anything else at the same time, such as loading images, spinning threads take the processor
 * away from the thread that they wait for, and a step takes up to ten times as long. */
static void restart_with_short_waits(char **argv)
{
#ifdef _OPENMP
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    if (setenv("GOMP_SPINCOUNT", "1000", 1)) return;
    execvp(argv[0], argv); /* returns only where it fails: then the program goes on, more slowly */
#else
    (void)argv;
#endif
}

static void answer_version_and_help(int argc, char **argv)
{
    if (word_is(argc, argv, 1, "--version") || word_is(argc, argv, 1, "-version")) {
        print_version();
        commands_leave(0);
    }
    if (word_is(argc, argv, 1, "--help") || word_is(argc, argv, 1, "-h")) {
        fputs("usage: darknet <command> ...: those of Darknet, and\n"
              "    classifier metrics, detector map, detector anchors, ols show, ols plot, ols deploy\n"
              "each of which explains itself with --help, as do detector train and classifier train\n"
              "       darknet --version\n",
              stdout);
        commands_leave(0);
    }
}

/* Without a GPU Darknet trains the first network and forgets the others. */
static void check_gpus(int argc, char **argv)
{
#ifndef GPU
    int i;
    for (i = 1; i + 1 < argc && argv[i]; ++i)
        if (!strcmp(argv[i], "-gpus") && argv[i + 1] && strchr(argv[i + 1], ','))
            die("-gpus %s: several GPUs need a build with GPU=1", argv[i + 1]);
#else
    (void)argc, (void)argv;
#endif
}

/* `train --help`; and `train` without its two files, where Darknet would take an option for the name of one. */
static void answer_trainer_help(int argc, char **argv)
{
    const int asked = help_is_asked(argc, argv);
    if (!asked && word(argc, argv, 4)) return;
    fputs(trainer_usage, asked ? stdout : stderr);
    commands_leave(!asked);
}

static void take_trainer_options(int argc, char **argv)
{
    const int detector = is_command(argc, argv, "detector", "train");
    const char *command = detector ? "detector train" : "classifier train";
    int k;
    if (!detector && !is_command(argc, argv, "classifier", "train")) return;
    answer_trainer_help(argc, argv);
    for (k = 0; k < OPTIONS; ++k) {
        command_option option = options[k].option;
        long long value;
        option.value = &value;
        if (!(options[k].commands & (detector ? DETECTOR_TRAIN : CLASSIFIER_TRAIN))) continue;
        if (take_option(command, &option, argc, argv)) options[k].apply(value);
    }
}

/* What some commands of Darknet's need to be different. */
static void set_policies(int argc, char **argv)
{
    /* These look at the outputs of layers in the middle of the network, which a plan may leave in another layout. */
    if (is_command(argc, argv, "classifier", "try") || word_is(argc, argv, 1, "lsd")) accel_allow_plans(0);
    /* Any trainer may start from the first layers of another network. */
    checkpoint_allow_partial(word_is(argc, argv, 2, "train"));
}

void commands_begin(int argc, char **argv)
{
    restart_with_short_waits(argv);
    /* A training log that goes to a file should show what was done, not what filled a buffer. */
    setvbuf(stdout, 0, _IOLBF, 0);
    guard_status();
    answer_version_and_help(argc, argv);
    check_gpus(argc, argv);
    take_trainer_options(argc, argv);
    set_policies(argc, argv);
    if (argc > 1 && !strcmp(argv[1], "ols")) commands_leave(run_ols(argc, argv));
}

/* ---- The plugin's commands --------------------------------------------------------------------------------------- */

static const struct {
    const char *group, *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"classifier", "metrics", classifier_metrics},
    {"detector", "anchors", detector_anchors},
    {"detector", "map", detector_map},
};

void commands_run(int argc, char **argv)
{
    size_t i;
    if (!argv[1]) die("no command: see darknet --help");              /* `darknet -nogpu` */
    if (!strcmp(argv[1], "ols")) commands_leave(run_ols(argc, argv)); /* with -nogpu or -i in front of it */
    for (i = 0; i < sizeof commands / sizeof *commands; ++i)
        if (is_command(argc, argv, commands[i].group, commands[i].name)) commands_leave(commands[i].run(argc, argv));
}
