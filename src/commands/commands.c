#include "commands/commands.h"

#include "base/error.h"
#include "accel/cpu/accel_cpu.h"
#include "train/checkpoint.h"
#include "commands/detector_anchors.h"
#include "commands/detector_map.h"
#include "train/detector_training.h"
#include "data/loading.h"
#include "data/photo.h"
#include "data/random_stream.h"
#include "layers/label_smoothing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Takes `name value` out of argv, as Darknet's find_*_arg do; NULL where it is not there. */
static char *take_option(int argc, char **argv, const char *name)
{
    char *value;
    int i, j;
    for (i = 1; i < argc && argv[i] && strcmp(argv[i], name); ++i) {
    }
    if (i >= argc || !argv[i]) return 0;
    value = i + 1 < argc ? argv[i + 1] : 0;
    if (!value) die("%s needs a value", name);
    for (j = i; j + 2 < argc; ++j) argv[j] = argv[j + 2];
    argv[argc - 2] = argv[argc - 1] = 0;
    return value;
}

/* The number that take_option finds, 0 to `most`, or `missing` where the option is not there. */
static unsigned long take_number(int argc, char **argv, const char *name, unsigned long most, unsigned long missing)
{
    char *text = take_option(argc, argv, name), *end;
    unsigned long value;
    if (!text) return missing;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno || *end || end == text || *text == '-' || value > most)
        die("%s %s is not valid: must be a whole number from 0 to %lu", name, text, most);
    return value;
}

/* Made of what numbers are made of: it was meant as one, even if it is none. */
static int looks_like_a_number(const char *text)
{
    return text && *text && !text[strspn(text, "0123456789.+-")];
}

/* Takes `-map N` or `-map`, which is `-map 1`, out of argv; 0 where it is not there. */
static int take_map(int argc, char **argv)
{
    int i, j;
    for (i = 1; i < argc && argv[i] && strcmp(argv[i], "-map"); ++i) {
    }
    if (i >= argc || !argv[i]) return 0;
    if (i + 1 < argc && looks_like_a_number(argv[i + 1])) {
        int epochs = (int)take_number(argc, argv, "-map", 1000000, 0);
        if (!epochs) die("-map 0 is not valid: must be a whole number of epochs from 1");
        return epochs;
    }
    for (j = i; j + 1 < argc; ++j) argv[j] = argv[j + 1];
    argv[argc - 1] = 0;
    return 1;
}

/* The n-th word of the command line (1: the command), without the options that main() takes out later. NULL: none. */
static const char *word(int argc, char **argv, int n)
{
    int i;
    for (i = 1; i < argc && argv[i]; ++i) {
        if (!strcmp(argv[i], "-nogpu")) continue;
        if (!strcmp(argv[i], "-i") || !strcmp(argv[i], "-seed") || !strcmp(argv[i], "-loaders") ||
            !strcmp(argv[i], "-cache")) {
            ++i;
            continue;
        }
        if (!strcmp(argv[i], "-map")) {
            i += i + 1 < argc && looks_like_a_number(argv[i + 1]);
            continue;
        }
        if (--n == 0) return argv[i];
    }
    return 0;
}

static int is_command(int argc, char **argv, const char *group, const char *name)
{
    const char *first = word(argc, argv, 1), *second = word(argc, argv, 2);
    return first && second && !strcmp(first, group) && !strcmp(second, name);
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

/* 1 once the program means to end with the status that it gives to exit(). */
static int finished;

/* Darknet leaves with exit(0) where it cannot load an image (src/image.c, which the patches leave alone). And it leaves
 * in loader threads, while others work on: they must not lose under their feet what the libraries' destructors free. */
static void guard_status(int status, void *unused)
{
    (void)unused;
    if (finished) return;
    fflush(0);
    _exit(status ? status : 1);
}

static void leave(int status)
{
    finished = 1;
    exit(status);
}

void commands_end(void)
{
    finished = 1;
}

/* Threads that wait for their next part of a loop turn in circles, by libgomp's default for milliseconds. On a machine
 * that does anything else, loading images included, the one that they wait for loses its processor to them, and a step
 * takes up to ten times as long. libgomp reads the setting before main() begins, so the program starts itself again. */
static void shorten_waiting(char **argv)
{
#ifdef _OPENMP
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    if (setenv("GOMP_SPINCOUNT", "1000", 1)) return;
    execvp(argv[0], argv); /* where that fails, it is slower */
#else
    (void)argv;
#endif
}

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

/* `train --help`, and train without its files, which Darknet looks for under the name of the option. */
static void help_with_training(int argc, char **argv)
{
    int i, asked = 0;
    for (i = 1; i < argc && argv[i]; ++i) asked |= !strcmp(argv[i], "--help") || !strcmp(argv[i], "-h");
    if (!asked && word(argc, argv, 4)) return;
    fputs(trainer_usage, asked ? stdout : stderr);
    leave(!asked);
}

void commands_begin(int argc, char **argv)
{
    shorten_waiting(argv);
    /* A training log that goes to a file should show what was done, not what filled a buffer. */
    setvbuf(stdout, 0, _IOLBF, 0);
    on_exit(guard_status, 0);
    check_gpus(argc, argv);
    /* Only these trainers: `rnn generate` has a -seed of its own, a text. */
    if (is_command(argc, argv, "classifier", "train") || is_command(argc, argv, "detector", "train")) {
        enum { MEGABYTE = 1 << 20, LOADERS = 1024 };
        const unsigned long none = (unsigned long)-1;
        unsigned long seed = take_number(argc, argv, "-seed", 0xffffffffu, none);
        unsigned long cache = take_number(argc, argv, "-cache", (unsigned long)((size_t)-1 / MEGABYTE / 2), none);
        help_with_training(argc, argv);
        loading_set_threads((int)take_number(argc, argv, "-loaders", LOADERS, 0));
        if (seed != none) random_set_seed((unsigned)seed);
        if (cache != none) photo_set_limit((size_t)cache * MEGABYTE);
        if (is_command(argc, argv, "detector", "train")) detector_training_set_map(take_map(argc, argv));
    }
    /* These look at layers in the middle. */
    if (is_command(argc, argv, "classifier", "try") || (word(argc, argv, 1) && !strcmp(word(argc, argv, 1), "lsd")))
        accel_allow_plans(0);
    checkpoint_allow_partial(word(argc, argv, 2) && !strcmp(word(argc, argv, 2), "train"));
    if (argc > 1 && !strcmp(argv[1], "ols")) leave(run_ols(argc, argv));
}

static const struct {
    const char *group, *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"detector", "anchors", detector_anchors},
    {"detector", "map", detector_map},
};

void commands_run(int argc, char **argv)
{
    size_t i;
    if (!strcmp(argv[1], "ols")) leave(run_ols(argc, argv)); /* with -nogpu or -i in front of it */
    for (i = 0; i < sizeof commands / sizeof commands[0]; ++i)
        if (is_command(argc, argv, commands[i].group, commands[i].name)) leave(commands[i].run(argc, argv));
}
