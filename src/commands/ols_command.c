/* darknet ols show|plot|deploy: shows the soft labels of a checkpoint as a table; plotting is in soft_label_plot.c,
 * deploy in deploy.c. */
#include "commands/ols_command.h"

#include "base/error.h"
#include "base/memory.h"
#include "commands/command_line.h"
#include "commands/deploy.h"
#include "commands/soft_label_plot.h"
#include "data/lists.h"
#include "layers/label_smoothing.h"
#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char show_usage[] =
    "usage: darknet ols show <weights> [options]\n"
    "           the soft labels in a checkpoint as a table; above 20 classes (or with -top n) the n strongest\n"
    "           entries of every row\n"
    "    -names <file>  names of the classes, one a line\n"
    "    -top <n>       so many entries of every row (5)\n"
    "    -set <n>       which soft labels, where a network has several [ols] layers (0)\n";

static const char plot_usage[] =
    "usage: darknet ols plot <weights>... <out.png> [options]\n"
    "           the soft labels in a checkpoint as a heat map (needs gnuplot); of several checkpoints a strip of heat\n"
    "           maps in order of their epochs, and a chart of how S changed\n"
    "    -names <file>  names of the classes, one a line\n"
    "    -set <n>       which soft labels, where a network has several [ols] layers (0)\n";

static const char deploy_usage[] =
    "usage: darknet ols deploy <in.cfg> <out.cfg> <in.weights> <out.weights>\n"
    "           writes the network for inference, in layers that any Darknet and OpenCV's dnn module have; batch\n"
    "           normalisation goes into the weights. Of X_best.weights with X_best.json beside it the heads get its\n"
    "           threshold as thresh=, which OpenCV reads\n"
    "       darknet ols deploy <in.cfg> <out.cfg>\n"
    "           writes the cfg without smoothing: [ols] becomes [softmax], so that any Darknet reads it with the\n"
    "           same weights\n";

/* Arguments of the three commands. */
typedef struct {
    const char **words;
    int word_count;
    const char *names; /* -names, or NULL */
    long long top;     /* -top; 0: not given */
    long long set;     /* -set */
} arguments;

/* The names of the classes: those in the file, or their numbers if `file` is NULL. Never freed, as the program ends
 * soon. */
static char **class_names(const char *file, int classes)
{
    text_lines names = {0};
    int k;
    if (file) {
        if (read_lines("list of names", file, &names)) exit(1);
        if (names.count != classes)
            die("%s has %d names, but the soft labels are of %d classes", file, names.count, classes);
        return names.text;
    }
    names.text = (char **)xcalloc(classes, sizeof *names.text);
    for (k = 0; k < classes; ++k) {
        char number[16];
        snprintf(number, sizeof number, "%d", k);
        names.text[k] = xstrdup(number);
    }
    return names.text;
}

/* ---- show -------------------------------------------------------------------------------------------------------- */

/* Of rows that are no distributions, as normalise=hits leaves them. */
static void print_sums(const ols_state *state)
{
    float low = state->row_sum[0], high = low;
    int y;
    for (y = 1; y < state->classes; ++y) {
        if (state->row_sum[y] < low) low = state->row_sum[y];
        if (state->row_sum[y] > high) high = state->row_sum[y];
    }
    if ((low != 0 && low != 1) || (high != 0 && high != 1)) printf("rows sum to %.4f to %.4f\n", low, high);
}

static void print_head(const ols_state *state)
{
    ols_summary summary;
    ols_count(state, &summary);
    ols_summarize(state, &summary);
    printf("%d classes, %lld updates, %lld images and %lld/%lld correct since the last one\n", state->classes,
           (long long)state->updates, (long long)state->images, (long long)summary.correct, (long long)summary.seen);
    printf("mean S[y][y] %.4f, mean entropy %.4f nats (uniform is S[y][y] %.4f)\n", summary.diagonal, summary.entropy,
           1. / state->classes);
    print_sums(state);
}

static void print_matrix(const ols_state *state, char **names)
{
    int y, k, classes = state->classes, width = 6;
    for (k = 0; k < classes; ++k)
        if ((int)strlen(names[k]) > width) width = (int)strlen(names[k]);
    printf("\n%-*s", width, "true");
    for (k = 0; k < classes; ++k) printf(" %*s", width, names[k]);
    printf("\n");
    for (y = 0; y < classes; ++y) {
        printf("%-*s", width, names[y]);
        for (k = 0; k < classes; ++k) printf(" %*.4f", width, state->S[(size_t)y * classes + k]);
        printf("\n");
    }
}

static void print_strongest(const ols_state *state, char **names, int top)
{
    int y, i, k, classes = state->classes;
    char *shown = (char *)xmalloc(classes);
    printf("\n");
    for (y = 0; y < classes; ++y) {
        const float *row = state->S + (size_t)y * classes;
        memset(shown, 0, classes);
        printf("%s:", names[y]);
        for (i = 0; i < top && i < classes; ++i) {
            int best = -1;
            for (k = 0; k < classes; ++k)
                if (!shown[k] && (best < 0 || row[k] > row[best])) best = k;
            shown[best] = 1;
            printf("%s %s %.4f", i ? "," : "", names[best], row[best]);
        }
        printf("\n");
    }
    free(shown);
}

static int show(const arguments *a)
{
    ols_state *state = checkpoint_read_soft_labels(a->words[0], (int)a->set);
    char **names = class_names(a->names, state->classes);
    print_head(state);
    if (a->top || state->classes > 20)
        print_strongest(state, names, a->top ? (int)a->top : 5);
    else
        print_matrix(state, names);
    return 0;
}

/* ---- plot -------------------------------------------------------------------------------------------------------- */

/* A forgotten <out.png> would make the last checkpoint the picture, and lose it. */
static void check_output(const char *png)
{
    static const char *const endings[] = {".weights", ".backup"};
    size_t i;
    for (i = 0; i < sizeof endings / sizeof *endings; ++i) {
        const size_t length = strlen(png), end = strlen(endings[i]);
        if (length >= end && !strcmp(png + length - end, endings[i]))
            die("ols plot: %s would be replaced by the picture: <out.png> is missing", png);
    }
    check_picture_name("ols plot", png);
}

/* The soft labels of all checkpoints that are given. Never freed, as the program ends soon. */
static ols_state **read_states(const arguments *a, int count)
{
    ols_state **states = (ols_state **)xcalloc(count, sizeof *states);
    int i;
    for (i = 0; i < count; ++i) {
        if (i && !enough_memory_for(states[0]->classes))
            die("%s: not enough memory for the soft labels of %d checkpoints", a->words[i], count);
        states[i] = checkpoint_read_soft_labels(a->words[i], (int)a->set);
        if (states[i]->classes != states[0]->classes)
            die("%s holds soft labels of %d classes, but %s of %d", a->words[i], states[i]->classes, a->words[0],
                states[0]->classes);
    }
    return states;
}

static int plot(const arguments *a)
{
    const int count = a->word_count - 1;
    const char *png = a->words[count], *error;
    ols_state **states;
    check_output(png);
    states = read_states(a, count);
    error = soft_label_plot(png, states, count, class_names(a->names, states[0]->classes));
    if (error) die("cannot draw %s: %s", png, error);
    return 0;
}

/* ---- deploy ------------------------------------------------------------------------------------------------------ */

static int deploy(const arguments *a)
{
    const char *const *file = a->words;
    if (a->word_count == 3) die("ols deploy: %s has no file for its result: needs <out.weights> too", file[2]);
    if (a->word_count == 4)
        deploy_network(file[0], file[1], file[2], file[3]);
    else
        deploy_cfg(file[0], file[1]);
    return 0;
}

/* ---- The command lines ------------------------------------------------------------------------------------------- */

int ols_show(int argc, char **argv)
{
    static const char *words[1];
    static arguments a = {words, 0, 0, 0, 0};
    command_option options[] = {
        {"-set", OPTION_WHOLE, &a.set, 0, 1000, 0, 0},
        {"-names", OPTION_TEXT, &a.names, 0, 0, 0, 0},
        {"-top", OPTION_WHOLE, &a.top, 1, 1000000, 0, 0},
    };
    command_line line = {"ols show", show_usage, "<weights>", options, 3, words, 1, 1, 0, 0};
    read_command_line(&line, argc, argv);
    return show(&a);
}

int ols_plot(int argc, char **argv)
{
    static arguments a;
    command_option options[] = {
        {"-set", OPTION_WHOLE, &a.set, 0, 1000, 0, 0},
        {"-names", OPTION_TEXT, &a.names, 0, 0, 0, 0},
    };
    command_line line = {"ols plot", plot_usage, "<weights>... <out.png>", options, 2, 0, 2, argc, 0, 0};
    line.words = a.words = (const char **)xcalloc(argc, sizeof *a.words);
    read_command_line(&line, argc, argv);
    a.word_count = line.word_count;
    return plot(&a);
}

int ols_deploy(int argc, char **argv)
{
    static const char *words[4];
    arguments a = {words, 0, 0, 0, 0};
    command_line line = {
        "ols deploy", deploy_usage, "<in.cfg> <out.cfg> [in.weights] [out.weights]", 0, 0, words, 2, 4, 0, 0};
    read_command_line(&line, argc, argv);
    a.word_count = line.word_count;
    return deploy(&a);
}
