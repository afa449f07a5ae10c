#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* open_memstream */
#endif
#include "commands/command_table.h"

#include "commands/check.h"
#include "commands/classifier_metrics.h"
#include "commands/classifier_suspects.h"
#include "commands/detector_anchors.h"
#include "commands/detector_map.h"
#include "commands/detector_test.h"
#include "commands/ols_command.h"
#include "data/loader_threads.h"
#include "data/photo.h"
#include "data/random_stream.h"
#include "train/cfg_keys.h"
#include "train/classifier_training.h"
#include "train/detector_training.h"
#include "train/training.h"
#include "train/training_check.h"

#include <stdio.h>
#include <string.h>

/* ---- Commands ---------------------------------------------------------------------------------------------------- */

/* The commands of Darknet that take options, as bits. */
enum {
    CLASSIFIER_TRAIN = 1,
    CLASSIFIER_PREDICT = 2,
    CLASSIFIER_DEMO = 4,
    DETECTOR_TRAIN = 8,
    DETECTOR_TEST = 16,
    DETECTOR_VALID = 32,
    DETECTOR_DEMO = 64,
    DETECT = 128,
    OPS = 256,
    TRAINERS = CLASSIFIER_TRAIN | DETECTOR_TRAIN
};

static const command_row commands[] = {
    {"classifier", "train", "<data> <cfg> [weights]", "train on the train= list", CLASSIFIER_TRAIN, 0},
    {"classifier", "metrics", "<data> <cfg> <weights...>", "accuracy, calibration, attacks and more on the valid= list",
     0, classifier_metrics},
    {"classifier", "suspects", "<data> <cfg> <weights>", "the training images whose labels look wrong", 0,
     classifier_suspects},
    {"classifier", "predict", "<data> <cfg> [weights] [image]", "the most probable classes of an image",
     CLASSIFIER_PREDICT, 0},
    {"classifier", "valid", "<data> <cfg> [weights]", "accuracy on the valid= list", 0, 0},
    {"classifier", "validmulti", "<data> <cfg> [weights]", "the same at four sizes, mirrored too", 0, 0},
    {"classifier", "valid10", "<data> <cfg> [weights]", "the same of ten crops an image", 0, 0},
    {"classifier", "validcrop", "<data> <cfg> [weights]", "the same of images stretched to the network's input", 0, 0},
    {"classifier", "validfull", "<data> <cfg> [weights]", "the same of whole images, whatever their size", 0, 0},
    {"classifier", "demo", "<data> <cfg> [weights] [video]", "classes in a video or from a camera (OPENCV=1)",
     CLASSIFIER_DEMO, 0},
    {"classifier", "gun", "<data> <cfg> [weights] [video]", "the same for a few of ImageNet's classes (OPENCV=1)",
     CLASSIFIER_DEMO, 0},
    {"classifier", "threat", "<data> <cfg> [weights] [video]", "the same (OPENCV=1)", CLASSIFIER_DEMO, 0},
    {"classifier", "try", "<data> <cfg> <weights> <image> <n>", "what layer n has for an image", 0, 0},
    {"classifier", "test", "<data> <cfg> [weights] [unused] [n]", "the outputs, of layer n, for the test= list", 0, 0},
    {"classifier", "csv", "<data> <cfg> [weights]", "the most probable classes for the test= list", 0, 0},
    {"classifier", "label", "<data> <cfg> [weights]", "the most probable class for the test= list", 0, 0},
    {"classifier", "fout", "<data> <cfg> <weights> <list>", "the probabilities of all classes for a list", 0, 0},
    {"detector", "train", "<data> <cfg> [weights]", "train on the train= list", DETECTOR_TRAIN, 0},
    {"detector", "map", "<data> <cfg> <weights>", "average precision and more on the valid= list", 0, detector_map},
    {"detector", "anchors", "<data>", "anchors for the boxes of the train= list", 0, detector_anchors},
    {"detector", "calc_anchors", "<data>", "the same, by its name in other Darknets", 0, detector_anchors},
    {"detector", "test", "<data> <cfg> [weights] [image]", "draw what is found in an image, into predictions.jpg",
     DETECTOR_TEST, 0},
    {"detector", "valid", "<data> <cfg> [weights]", "write the detections in the valid= list to results/",
     DETECTOR_VALID, 0},
    {"detector", "valid2", "<data> <cfg> [weights]", "the same, in mirrored images too", DETECTOR_VALID, 0},
    {"detector", "recall", "<data> <cfg> [weights]", "recall on data/coco_val_5k.list", 0, 0},
    {"detector", "demo", "<data> <cfg> [weights] [video]", "detect in a video or from a camera (OPENCV=1)",
     DETECTOR_DEMO, 0},
    {"ols", "show", "<weights>", "the soft labels of a checkpoint, as a table", 0, ols_show},
    {"ols", "plot", "<weights>... <out.png>", "the same as a picture, over the epochs of a training", 0, ols_plot},
    {"ols", "deploy", "<in.cfg> <out.cfg> [in.weights] [out.weights]", "a network for other Darknets and OpenCV", 0,
     ols_deploy},
    {"check", 0, "<data> [cfg]", "look at everything that a training would read", 0, run_check},
    {"detect", 0, "<cfg> <weights> [image]", "detector test with cfg/coco.data", DETECT, 0},
    {"classify", 0, "<cfg> <weights> [image]", "classifier predict with cfg/imagenet1k.data", 0, 0},
    {"partial", 0, "<cfg> <weights> <out.weights> <n>", "the first n layers, to start another network from", 0, 0},
    {"average", 0, "<cfg> <out.weights> <weights...>", "the mean of several weights", 0, 0},
    {"ops", 0, "<cfg>", "count the operations and parameters of a network", OPS, 0},
    {"speed", 0, "<cfg> [n]", "time n runs (1000)", 0, 0},
    {"print", 0, "<cfg> <weights> <n>", "the weights of layer n", 0, 0},
    {"visualize", 0, "<cfg> [weights]", "draw the filters (OPENCV=1)", 0, 0},
    {"statistics", 0, "<cfg> <weights>", "mean and variance of the weights of [connected] and [gru]", 0, 0},
    {"reset", 0, "<cfg> <weights> <out.weights>", "take batch normalisation into the weights, and begin it anew", 0, 0},
    {"normalize", 0, "<cfg> <weights> <out.weights>", "add batch normalisation", 0, 0},
    {"denormalize", 0, "<cfg> <weights> <out.weights>", "take batch normalisation into the weights", 0, 0},
    {"rescale", 0, "<cfg> <weights> <out.weights>", "for inputs from -1 to 1", 0, 0},
    {"rgbgr", 0, "<cfg> <weights> <out.weights>", "swap red and blue", 0, 0},
    {"oneoff", 0, "<cfg> <weights> <out.weights>", "a conversion of one of Darknet's author's networks", 0, 0},
    {"oneoff2", 0, "<cfg> <weights> <out.weights> <n>", "another, from layer n on", 0, 0},
    {"3d", 0, "<image> <image> [out] [distance]", "a picture for red and cyan glasses", 0, 0},
    {"mkimg", 0, "<cfg> <weights> <n> <n> <n> <prefix>", "pictures of the first filters: height, width, how many", 0,
     0},
    {"test", 0, "<image>", "show an image resized (OPENCV=1)", 0, 0},
    {"imtest", 0, "<image>", "the same", 0, 0},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* Experiments of Darknet's author with options of their own, and with paths in their code. Darknet ended with status 0
 * for a command that an experiment does not have. */
static const experiment_row experiments[] = {
    {"art", "", 2, "<cfg> <weights>"},
    {"cifar", "train extract distill test multi csv csvtrain eval", 2, "<command> <cfg> ..."},
    {"coco", "train valid recall test demo", 2, "<command> <cfg> ..."},
    {"go", "train valid self test engine", 2, "<command> <cfg> ..."},
    {"isegmenter", "train test demo", 2, "<command> <cfg> ..."},
    {"lsd", "traingan trainprog traincolor gan inter test color valid", 2, "<command> <cfg> ..."},
    {"nightmare", "", 4, "<cfg> <weights> <image> <layer> ..."},
    {"regressor", "train test demo", 2, "<command> <cfg> ..."},
    {"rnn", "train valid validtactic vec generate generatetactic", 2, "<command> <cfg> ..."},
    {"segmenter", "train test demo", 2, "<command> <cfg> ..."},
    {"super", "train valid test", 2, "<command> <cfg> ..."},
    {"tag", "train test", 2, "<command> <cfg> ..."},
    {"yolo", "train valid recall test demo", 2, "<command> <cfg> ..."},
};
enum { EXPERIMENTS = sizeof experiments / sizeof *experiments };

const command_row *command_at(int i)
{
    return i < COMMANDS ? &commands[i] : 0;
}

static int equal(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

const command_row *command_of(const char *group, const char *name)
{
    int i;
    for (i = 0; i < COMMANDS; ++i)
        if (!strcmp(commands[i].group, group) && equal(commands[i].name, name)) return &commands[i];
    return 0;
}

int is_group(const char *group)
{
    int i;
    for (i = 0; i < COMMANDS && strcmp(commands[i].group, group);) ++i;
    return i < COMMANDS || experiment_of(group);
}

const experiment_row *experiment_of(const char *group)
{
    int i;
    for (i = 0; i < EXPERIMENTS; ++i)
        if (!strcmp(experiments[i].name, group)) return &experiments[i];
    return 0;
}

int needs_opencv(const command_row *row)
{
    return (row->takes & (DETECTOR_DEMO | CLASSIFIER_DEMO)) != 0;
}

const char *full_name(const command_row *row)
{
    static char text[64];
    snprintf(text, sizeof text, "%s%s%s", row->group, row->name ? " " : "", row->name ? row->name : "");
    return text;
}

/* ---- The options of Darknet's commands --------------------------------------------------------------------------- */

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

static void apply_ext_output(long long given)
{
    detector_test_set_coordinates((int)given);
}

static void apply_strict(long long given)
{
    cfg_keys_set_strict((int)given);
}

static void apply_log(long long iterations)
{
    training_set_log((int)iterations);
}

static void apply_verbose(long long given)
{
    training_set_verbose((int)given);
}

static void apply_nocheck(long long given)
{
    if (given) training_check_skip();
}

static void apply_skip_bad(long long given)
{
    if (given) photo_skip_bad();
}

static const char every_epochs[] = "a whole number of epochs from 1 to 1000000";

/* Those with `apply` are removed from argv before Darknet reads it. Other commands of Darknet have options with the
 * same names (the -seed of `rnn generate` is a text). */
static const option_row options[] = {
    {{"-map", OPTION_WHOLE_OR_ALONE, 0, 1, 1000000, every_epochs, 0},
     DETECTOR_TRAIN,
     apply_map,
     "[n]",
     "evaluate on the valid= list every n epochs (1), keep the best\nweights with their threshold, a CSV log and a "
     "chart"},
    {{"-topk", OPTION_WHOLE_OR_ALONE, 0, 1, 1000000, every_epochs, 0},
     CLASSIFIER_TRAIN,
     apply_topk,
     "[n]",
     "evaluate on the valid= list every n epochs (1): top-1, top-k,\nvalidation loss and ECE; keep the best weights, a "
     "CSV log and a\nchart"},
    {{"-keep", OPTION_WHOLE, 0, 1, 1000000, 0, 0},
     CLASSIFIER_TRAIN,
     apply_keep,
     "<n>",
     "numbered weights every n epochs (1)"},
    {{"-patience", OPTION_WHOLE, 0, 1, 1000000, 0, 0},
     CLASSIFIER_TRAIN,
     apply_patience,
     "<n>",
     "end when the best top-1 of -topk is n evaluations old"},
    {{"-clear", OPTION_FLAG, 0, 0, 0, 0, 0},
     TRAINERS,
     0,
     "",
     "forget how many images the weights have seen, and their soft labels"},
    {{"-seed", OPTION_WHOLE, 0, 0, 0xffffffffu, 0, 0},
     TRAINERS,
     apply_seed,
     "<n>",
     "repeat a run: weights, images and their augmentation"},
    {{"-loaders", OPTION_WHOLE, 0, 0, 1024, 0, 0},
     TRAINERS,
     apply_loaders,
     "<n>",
     "threads that load images (0, the default: one a processor)"},
    {{"-cache", OPTION_WHOLE, 0, 0, (size_t)-1 / MEGABYTE / 2, 0, 0},
     TRAINERS,
     apply_cache,
     "<MB>",
     "decoded images kept in memory"},
    {{"-nocheck", OPTION_FLAG, 0, 0, 0, 0, 0},
     TRAINERS,
     apply_nocheck,
     "",
     "begin without the look at all files that darknet check takes"},
    {{"-skip_bad", OPTION_FLAG, 0, 0, 0, 0, 0},
     TRAINERS,
     apply_skip_bad,
     "",
     "take another image for one that cannot be decoded, instead of\nending"},
    {{"-log", OPTION_WHOLE, 0, 1, 1000000, 0, 0}, TRAINERS, apply_log, "<n>", "a line every n iterations (1)"},
    {{"-v", OPTION_FLAG, 0, 0, 0, 0, 0},
     TRAINERS,
     apply_verbose,
     "",
     "Darknet's own lines, too: what each head has found, and how long\nloading took"},
    {{"-strict", OPTION_FLAG, 0, 0, 0, 0, 0},
     TRAINERS | OPS,
     apply_strict,
     "",
     "end with an error where the cfg has keys that do nothing here"},
    {{"-gpus", OPTION_LIST, 0, 0, 1023, 0, 0}, TRAINERS, 0, "<i,j>", "train on these GPUs"},
    {{"-thresh", OPTION_NUMBER, 0, 0, 1, 0, 0},
     DETECTOR_TEST | DETECTOR_DEMO,
     0,
     "<n>",
     "the score from which a box is drawn (that of X_best.json beside\nX_best.weights, which a training writes; else "
     ".5)"},
    {{"-thresh", OPTION_NUMBER, 0, 0, 1, 0, 0}, DETECT, 0, "<n>", "the score from which a box is drawn (.5)"},
    {{"-hier", OPTION_NUMBER, 0, 0, 1, 0, 0},
     DETECTOR_TEST | DETECTOR_DEMO,
     0,
     "<n>",
     "the same for the classes of a tree (.5)"},
    {{"-out", OPTION_TEXT, 0, 0, 0, 0, 0},
     DETECTOR_TEST | DETECT,
     0,
     "<name>",
     "the picture (predictions); .jpg is added"},
    {{"-ext_output", OPTION_FLAG, 0, 0, 0, 0, 0},
     DETECTOR_TEST | DETECT,
     apply_ext_output,
     "",
     "also print the corner and the size of every box, in pixels"},
    {{"-out", OPTION_TEXT, 0, 0, 0, 0, 0},
     DETECTOR_VALID,
     0,
     "<name>",
     "what the names of the files begin with (comp4_det_test_)"},
    {{"-fullscreen", OPTION_FLAG, 0, 0, 0, 0, 0},
     DETECTOR_TEST | DETECTOR_DEMO | DETECT,
     0,
     "",
     "fill the screen, in a build with OPENCV=1"},
    {{"-c", OPTION_WHOLE, 0, 0, 1023, 0, 0}, DETECTOR_DEMO | CLASSIFIER_DEMO, 0, "<n>", "which camera (0)"},
    {{"-prefix", OPTION_TEXT, 0, 0, 0, 0, 0},
     DETECTOR_DEMO,
     0,
     "<name>",
     "write pictures with this beginning of their names, and show none"},
    {{"-s", OPTION_WHOLE, 0, 0, 1000000, 0, 0}, DETECTOR_DEMO, 0, "<n>", "skip n pictures after each (0)"},
    {{"-avg", OPTION_WHOLE, 0, 1, 1000, 0, 0}, DETECTOR_DEMO, 0, "<n>", "average the outputs of n pictures (3)"},
    {{"-w", OPTION_WHOLE, 0, 0, 65535, 0, 0}, DETECTOR_DEMO, 0, "<n>", "width of the camera's pictures"},
    {{"-h", OPTION_WHOLE, 0, 0, 65535, 0, 0}, DETECTOR_DEMO, 0, "<n>", "height"},
    {{"-fps", OPTION_WHOLE, 0, 0, 1000, 0, 0}, DETECTOR_DEMO, 0, "<n>", "pictures a second"},
    {{"-t", OPTION_WHOLE, 0, 0, 1000000, 0, 0},
     CLASSIFIER_PREDICT,
     0,
     "<n>",
     "how many classes (top= of <data>, or 1)"},
};
enum { OPTIONS = sizeof options / sizeof *options };

const option_row *darknet_option_at(int i)
{
    return i < OPTIONS ? &options[i] : 0;
}

/* ---- Help -------------------------------------------------------------------------------------------------------- */

/* A line "    left      right", on the left as wide as `width`; the further lines of `right` begin below the first. */
static void print_entry(FILE *out, int width, const char *left, const char *right)
{
    fprintf(out, "    %-*s", width, left);
    for (; *right; ++right) {
        fputc(*right, out);
        if (*right == '\n') fprintf(out, "    %*s", width, "");
    }
    fputc('\n', out);
}

static void print_common_options(FILE *out)
{
    enum { WIDTH = 17 };
    print_entry(out, WIDTH, "-nogpu", "run on the CPU, in a build with GPU=1");
    print_entry(out, WIDTH, "-i <n>", "run on GPU n (0), in such a build");
    print_entry(out, WIDTH, "-dont_show", "open no window (a build without OPENCV=1 has none)");
}

static void print_commands(FILE *out, const char *group)
{
    enum { WIDTH = 24 };
    int i;
    for (i = 0; i < COMMANDS; ++i)
        if (group ? !strcmp(commands[i].group, group) : !commands[i].name)
            print_entry(out, WIDTH, full_name(&commands[i]), commands[i].about);
}

static void print_help(FILE *out)
{
    int i;
    fputs("usage: darknet <command> <files> [options]\n"
          "       darknet <command> --help      what the command does, and all its options\n"
          "       darknet --version             the version, and how it was built\n"
          "classifiers:\n",
          out);
    print_commands(out, "classifier");
    fputs("detectors:\n", out);
    print_commands(out, "detector");
    fputs("soft labels:\n", out);
    print_commands(out, "ols");
    fputs("weights, networks and images:\n", out);
    print_commands(out, 0);
    fputs("experiments of Darknet's author, which take what they take there:\n   ", out);
    for (i = 0; i < EXPERIMENTS; ++i) fprintf(out, " %s", experiments[i].name);
    fputs("\noptions of every command:\n", out);
    print_common_options(out);
}

char *help_of_group(const char *group)
{
    const experiment_row *experiment = group ? experiment_of(group) : 0;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!group) {
        print_help(out);
    } else if (experiment) {
        fprintf(out, "usage: darknet %s %s\n", group, experiment->words);
        if (*experiment->commands) fprintf(out, "commands: %s\n", experiment->commands);
        fputs("an experiment of Darknet's author, as it is in Darknet\n", out);
    } else {
        fprintf(out, "usage: darknet %s <command> <files> [options]\n", group);
        print_commands(out, group);
        fprintf(out, "darknet %s <command> --help says what it takes\n", group);
    }
    fclose(out);
    return text;
}

char *help_of_command(const command_row *row)
{
    enum { WIDTH = 17 };
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int i;
    fprintf(out, "usage: darknet %s %s [options]\n           %s\n", full_name(row), row->places, row->about);
    for (i = 0; i < OPTIONS; ++i) {
        char left[64];
        if (!(options[i].commands & row->takes)) continue;
        snprintf(left, sizeof left, "%s %s", options[i].option.name, options[i].value);
        print_entry(out, WIDTH, left, options[i].about);
    }
    print_common_options(out);
    if (row->takes & TRAINERS)
        fprintf(out, "<data> has train=, classes=, names=, backup= (a folder that is there), and for %s valid=\n",
                row->takes == DETECTOR_TRAIN ? "-map" : "-topk");
    fclose(out);
    return text;
}
