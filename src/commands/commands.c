#include "commands/commands.h"

#include "accel/cpu/accel_cpu.h"
#include "base/error.h"
#include "commands/check.h"
#include "commands/classifier_metrics.h"
#include "commands/classifier_suspects.h"
#include "commands/detector_anchors.h"
#include "commands/detector_map.h"
#include "commands/exit_status.h"
#include "commands/ols_command.h"
#include "commands/command_line.h"
#include "commands/version.h"
#include "data/loader_threads.h"
#include "data/photo.h"
#include "data/random_stream.h"
#include "train/checkpoint.h"
#include "train/classifier_training.h"
#include "train/detector_training.h"
#include "train/training_check.h"

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

static void apply_topk(long long epochs)
{
    classifier_training_set_topk((int)epochs);
}

static void apply_keep(long long epochs)
{
    classifier_training_set_keep((int)epochs);
}

static void apply_patience(long long evaluations)
{
    classifier_training_set_patience((int)evaluations);
}

static void apply_skip_bad(long long unused)
{
    (void)unused;
    photo_skip_bad();
}

static void apply_nocheck(long long unused)
{
    (void)unused;
    training_check_skip();
}

/* The commands that take options of the plugin, as bits. */
enum { CLASSIFIER_TRAIN = 1, DETECTOR_TRAIN = 2 };

/* The options that are removed from argv before Darknet reads it by position. Those of the plugin are removed only from
 * the two trainers, because other commands have options with the same names (the -seed of `rnn generate` is a text);
 * those of main() are removed from every command. */
static const struct {
    command_option option;
    int commands;                   /* bits of the commands that take it; 0: main() removes it */
    void (*apply)(long long value); /* NULL for those of main() */
} options[] = {
    {{"-seed", OPTION_WHOLE, 0, 0, 0xffffffffu, 0, 0}, CLASSIFIER_TRAIN | DETECTOR_TRAIN, apply_seed},
    {{"-loaders", OPTION_WHOLE, 0, 0, 1024, 0, 0}, CLASSIFIER_TRAIN | DETECTOR_TRAIN, apply_loaders},
    {{"-cache", OPTION_WHOLE, 0, 0, (size_t)-1 / MEGABYTE / 2, 0, 0}, CLASSIFIER_TRAIN | DETECTOR_TRAIN, apply_cache},
    {{"-map", OPTION_WHOLE_OR_ALONE, 0, 1, 1000000, "a whole number of epochs from 1 to 1000000", 0},
     DETECTOR_TRAIN,
     apply_map},
    {{"-topk", OPTION_WHOLE_OR_ALONE, 0, 1, 1000000, "a whole number of epochs from 1 to 1000000", 0},
     CLASSIFIER_TRAIN,
     apply_topk},
    {{"-keep", OPTION_WHOLE, 0, 1, 1000000, 0, 0}, CLASSIFIER_TRAIN, apply_keep},
    {{"-patience", OPTION_WHOLE, 0, 1, 1000000, 0, 0}, CLASSIFIER_TRAIN, apply_patience},
    {{"-nocheck", OPTION_FLAG, 0, 0, 0, 0, 0}, CLASSIFIER_TRAIN | DETECTOR_TRAIN, apply_nocheck},
    {{"-skip_bad", OPTION_FLAG, 0, 0, 0, 0, 0}, CLASSIFIER_TRAIN | DETECTOR_TRAIN, apply_skip_bad},
    {{"-i", OPTION_WHOLE, 0, 0, 0, 0, 0}, 0, 0},
    {{"-nogpu", OPTION_FLAG, 0, 0, 0, 0, 0}, 0, 0},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const char trainer_usage[] =
    "usage: darknet detector train <data> <cfg> [weights] [options]\n"
    "       darknet classifier train <data> <cfg> [weights] [options]\n"
    "    -map [n]       detector: evaluate on the valid= list every n epochs (1), keep the best weights with their "
    "threshold,\n"
    "                   a CSV log and a chart\n"
    "    -topk [n]      classifier: the same with top-1, top-k, validation loss and ECE\n"
    "    -keep <n>      classifier: numbered weights every n epochs (1)\n"
    "    -patience <n>  classifier: end when the best top-1 of -topk is n evaluations old\n"
    "    -clear         forget how many images the weights have seen, and their soft labels\n"
    "    -seed <n>      repeat a run: weights, images and their augmentation\n"
    "    -loaders <n>   threads that load images (default: one a processor)\n"
    "    -cache <MB>    decoded images kept in memory\n"
    "    -nocheck       begin without the look at all files that darknet check takes\n"
    "    -skip_bad      take another image for one that cannot be decoded, instead of ending\n"
    "    -gpus <i,j>    train on these; -i <n> or -nogpu: on that one, or on the CPU\n"
    "<data> has train=, classes=, names=, backup= (a folder that is there), and for -map and -topk valid=\n";

/* ---- Which command it is ----------------------------------------------------------------------------------------- */

/* The n-th word of the command line (1: the group, such as "detector"), not counting options of the table. NULL if
 * there are fewer words. */
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

static void answer_version_and_help(int argc, char **argv)
{
    if (word_is(argc, argv, 1, "--version") || word_is(argc, argv, 1, "-version")) {
        print_version();
        leave(0);
    }
    if (word_is(argc, argv, 1, "--help") || word_is(argc, argv, 1, "-h")) {
        fputs("usage: darknet <command> ...: those of Darknet, and\n"
              "    check, classifier metrics, classifier suspects, detector map, detector anchors, ols show, ols plot, "
              "ols "
              "deploy\n"
              "each of which explains itself with --help, as do detector train and classifier train\n"
              "       darknet --version\n",
              stdout);
        leave(0);
    }
}

/* Rejects several GPUs in a build without GPU=1, where Darknet would train the first network and ignore the others. */
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

/* Prints the usage for `train --help`, and for `train` without its two files, where Darknet would read an option as a
 * file. */
static void answer_trainer_help(int argc, char **argv)
{
    const int asked = help_is_asked(argc, argv);
    if (!asked && word(argc, argv, 4)) return;
    fputs(trainer_usage, asked ? stdout : stderr);
    leave(!asked);
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
        long long value = 0;
        option.value = &value;
        if (!(options[k].commands & (detector ? DETECTOR_TRAIN : CLASSIFIER_TRAIN))) continue;
        if (take_option(command, &option, argc, argv)) options[k].apply(value);
    }
}

/* Settings that some commands of Darknet need. */
static void set_policies(int argc, char **argv)
{
    /* These commands read the outputs of inner layers, which are in another layout when a plan is used. */
    if (is_command(argc, argv, "classifier", "try") || word_is(argc, argv, 1, "lsd")) accel_allow_plans(0);
    /* Every trainer may load weights of only the first layers, as of a pretrained network. */
    checkpoint_allow_partial(word_is(argc, argv, 2, "train"));
}

void commands_begin(int argc, char **argv)
{
    restart_with_short_waits(argv);
    /* Line buffering, so that a training log written to a file is up to date. */
    setvbuf(stdout, 0, _IOLBF, 0);
    guard_exit_status();
    answer_version_and_help(argc, argv);
    check_gpus(argc, argv);
    take_trainer_options(argc, argv);
    set_policies(argc, argv);
    if (argc > 1 && !strcmp(argv[1], "ols")) leave(run_ols(argc, argv));
    if (word_is(argc, argv, 1, "check")) leave(run_check(argc, argv));
}

/* ---- The plugin's commands --------------------------------------------------------------------------------------- */

static const struct {
    const char *group, *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"classifier", "metrics", classifier_metrics},
    {"classifier", "suspects", classifier_suspects},
    {"detector", "anchors", detector_anchors},
    {"detector", "map", detector_map},
};

/* Darknet's own sub-commands of the groups that the plugin adds to. Darknet itself ignores others, with status 0. */
static const struct {
    const char *group, *names; /* names: each between blanks */
} darknets_commands[] = {
    {"classifier",
     " predict fout try train demo gun threat test csv label valid validmulti valid10 validcrop validfull "},
    {"detector", " test train valid valid2 recall demo "},
};

/* Ends the program with one line where the second word is no sub-command of the first. */
static void refuse_unknown(int argc, char **argv)
{
    const char *name = word(argc, argv, 2);
    char padded[64];
    size_t i;
    if (!name) return;
    snprintf(padded, sizeof padded, " %s ", name);
    for (i = 0; i < sizeof darknets_commands / sizeof *darknets_commands; ++i)
        if (word_is(argc, argv, 1, darknets_commands[i].group) && !strstr(darknets_commands[i].names, padded))
            die("no command %s %s: see darknet --help; Darknet's own are%s", darknets_commands[i].group, name,
                darknets_commands[i].names);
}

void commands_end(void)
{
    expect_end();
}

void commands_run(int argc, char **argv)
{
    size_t i;
    if (!argv[1]) die("no command: see darknet --help");     /* e.g. `darknet -nogpu` */
    if (!strcmp(argv[1], "ols")) leave(run_ols(argc, argv)); /* `darknet -nogpu ols ...` */
    for (i = 0; i < sizeof commands / sizeof *commands; ++i)
        if (is_command(argc, argv, commands[i].group, commands[i].name)) leave(commands[i].run(argc, argv));
    refuse_unknown(argc, argv);
}
