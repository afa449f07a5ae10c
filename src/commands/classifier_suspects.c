#include "commands/classifier_suspects.h"

#include "base/error.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/output_file.h"
#include "commands/command_line.h"
#include "data/labelled_images.h"
#include "data/letters.h"
#include "data/lists.h"
#include "eval/classify.h"
#include "eval/contact_sheet.h"
#include "eval/suspect_labels.h"

#include "darknet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char command[] = "classifier suspects";

static const char usage[] =
    "usage: darknet classifier suspects <data> <cfg> <weights> [options]\n"
    "           ranks the images of the data file's train= list by how much the trained network disbelieves the label\n"
    "           that they were given, the likeliest mistakes first. With noise= or noise_file= in the data file it "
    "says\n"
    "           how many of them are images whose label was changed\n"
    "    -top <n>      how many are listed, in all that follows too (default 100)\n"
    "    -list <key>   the list that this key of the data file names: train (default) or valid\n"
    "    -csv <csv>    rank, path, label, predicted class, the probabilities of both, score, and with noise the true "
    "label\n"
    "    -sheet <png>  a picture of the first 100 with label, predicted class and its probability below each\n"
    "    -json <file>  all of it; - is standard output, in place of the report\n";

enum { SHEET_IMAGES = 100, PRECISIONS = 3 };

typedef struct {
    const char *words[3]; /* data, cfg, weights */
    const char *list, *csv, *sheet, *json;
    long long top;
} suspects_arguments;

typedef struct {
    suspects_arguments arguments;
    labelled_images images;
    image **letters; /* with -sheet */
    float *probabilities;
    suspect *order;
    int listed; /* how many of them */
    int noisy;  /* images whose label was changed by noise= or noise_file= */
    char seen[100];
} suspects_run;

/* What is told of a suspect. */
typedef struct {
    const char *path, *label, *predicted, *truth; /* truth: NULL where nothing says that it is another than the label */
    double p_label, p_predicted, score;
} suspect_row;

static suspects_arguments read_arguments(int argc, char **argv)
{
    suspects_arguments a = {.list = "train", .top = 100};
    command_option options[] = {
        {"-top", OPTION_WHOLE, &a.top, 1, 1000000000, 0, 0}, {"-list", OPTION_TEXT, &a.list, 0, 0, 0, 0},
        {"-csv", OPTION_OUTPUT, &a.csv, 0, 0, 0, 0},         {"-sheet", OPTION_PICTURE, &a.sheet, 0, 0, 0, 0},
        {"-json", OPTION_OUTPUT, &a.json, 0, 0, 0, 0},
    };
    command_line line = {
        command, usage, "<data> <cfg> <weights>", options, sizeof options / sizeof *options, a.words, 3, 3, 0, 0};
    read_command_line(&line, argc, argv);
    if (strcmp(a.list, "valid") && strcmp(a.list, "train")) refuse_value(command, "-list", a.list, "train or valid");
    return a;
}

/* ---- The steps of the command ------------------------------------------------------------------------------------ */

/* Each returns 0, or 1 after one line on stderr. */

static int read_inputs(suspects_run *r)
{
    const suspects_arguments *a = &r->arguments;
    labelled_images *images = &r->images;
    if (a->sheet) r->letters = load_letters();
    if (check_file("cfg", a->words[1]) || check_file("weights", a->words[2])) return 1;
    if (labelled_images_read(a->words[0], a->list, images)) return 1;
    if (images->classes < 2) return report_error("%s: classes=1: of one class no label is wrong", a->words[0]);
    r->noisy = count_changed_labels(images);
    r->listed = a->top < images->count ? (int)a->top : images->count;
    return 0;
}

static int classify(suspects_run *r)
{
    const suspects_arguments *a = &r->arguments;
    const classify_options how = {0};
    const labelled_images *images = &r->images;
    network *net;
    int status;
    r->probabilities = (float *)calloc((size_t)images->count * images->classes, sizeof *r->probabilities);
    if (!r->probabilities)
        return report_error("%s: no memory for the predictions of %d images and %d classes", command, images->count,
                            images->classes);
    net = load_classifier(a->words[1], a->words[2], a->words[0], images->classes);
    if (!net) return 1;
    snprintf(r->seen, sizeof r->seen, "the square in the middle, scaled to %dx%d", net->w, net->h);
    status = classify_images(net, images->paths, images->count, &how, r->probabilities);
    free_network(net);
    return status;
}

static int rank(suspects_run *r)
{
    const predictions x = {r->probabilities, r->images.labels, r->images.count, r->images.classes};
    r->order = (suspect *)xcalloc(x.count, sizeof *r->order);
    rank_suspects(&x, r->order);
    return 0;
}

/* ---- The result -------------------------------------------------------------------------------------------------- */

static suspect_row row_of(const suspects_run *r, int rank)
{
    const labelled_images *images = &r->images;
    const int image = r->order[rank].image, label = images->labels[image];
    const float *p = r->probabilities + (size_t)image * images->classes;
    const int predicted = predicted_class(p, images->classes);
    const suspect_row row = {images->paths[image],
                             images->names[label],
                             images->names[predicted],
                             r->noisy ? images->names[images->clean_labels[image]] : 0,
                             p[label],
                             p[predicted],
                             r->order[rank].score};
    return row;
}

/* Images for which another class is likelier than the label. */
static int disbelieved(const suspects_run *r)
{
    int count = 0;
    while (count < r->images.count && r->order[count].score > 0) ++count;
    return count;
}

static double precision_at(const suspects_run *r, int at)
{
    return (double)wrong_among(r->order, at, r->images.labels, r->images.clean_labels) / at;
}

/* The numbers of first suspects whose precision is told: 100, 1000 and all that are listed, as far as there are so
 * many, smallest first. Returns how many numbers. */
static int precision_places(const suspects_run *r, int places[PRECISIONS])
{
    int count = 0;
    if (r->listed < 100) places[count++] = r->listed;
    if (r->images.count >= 100) places[count++] = 100;
    if (r->listed > 100 && r->listed < 1000) places[count++] = r->listed;
    if (r->images.count >= 1000) places[count++] = 1000;
    if (r->listed > 1000) places[count++] = r->listed;
    return count;
}

static void print_precision(const suspects_run *r)
{
    int places[PRECISIONS], i;
    const int count = precision_places(r, places);
    if (!r->noisy) return;
    printf("\nNoise changed %.2f %% of all labels, which is what chance would find. It changed the label of\n",
           100. * r->noisy / r->images.count);
    for (i = 0; i < count; ++i)
        printf("    %.2f %% of the first %d suspects\n", 100 * precision_at(r, places[i]), places[i]);
}

static int write_text(const suspects_run *r)
{
    const suspects_arguments *a = &r->arguments;
    int i;
    printf("%d images of %s= in %s, %d classes; %s\n", r->images.count, a->list, a->words[0], r->images.classes,
           r->seen);
    printf("The score is above 0, another class likelier than the label, for %d of them (%.2f %%).\n\n", disbelieved(r),
           100. * disbelieved(r) / r->images.count);
    for (i = 0; i < r->listed; ++i) {
        const suspect_row row = row_of(r, i);
        printf("%6d  %7.3f  labelled %s (%.2f %%), predicted %s (%.2f %%)", i + 1, row.score, row.label,
               100 * row.p_label, row.predicted, 100 * row.p_predicted);
        if (row.truth) printf(", truly %s", row.truth);
        printf(": %s\n", row.path);
    }
    print_precision(r);
    if (fflush(stdout) || ferror(stdout)) return report_error("cannot write the report: %s", strerror(errno));
    return 0;
}

static int write_csv(const suspects_run *r, const char *path)
{
    output_file o;
    FILE *out = output_open(&o, path);
    int i;
    if (out) fprintf(out, "rank,path,label,predicted,p_label,p_predicted,score%s\n", r->noisy ? ",true_label" : "");
    for (i = 0; out && i < r->listed; ++i) {
        const suspect_row row = row_of(r, i);
        const char *fields[] = {row.path, row.label, row.predicted};
        size_t k;
        fprintf(out, "%d", i + 1);
        for (k = 0; k < sizeof fields / sizeof *fields; ++k) {
            fputc(',', out);
            csv_put_field(out, fields[k]);
        }
        fprintf(out, ",%.9g,%.9g,%.9g", row.p_label, row.p_predicted, row.score);
        if (row.truth) {
            fputc(',', out);
            csv_put_field(out, row.truth);
        }
        fputc('\n', out);
    }
    return output_close(&o);
}

static void put_string(FILE *out, const char *before, const char *key, const char *text)
{
    fputs(before, out);
    json_put_text_member(out, key, text);
}

static void put_number(FILE *out, const char *key, double value)
{
    fputs(", ", out);
    json_put_member(out, key, value);
}

static void put_precision(FILE *out, const suspects_run *r)
{
    int places[PRECISIONS], i;
    const int count = precision_places(r, places);
    fprintf(out, ",\n  \"noise\": {\"images\": %d", r->noisy);
    put_number(out, "share", (double)r->noisy / r->images.count);
    fputs(", \"precision\": [", out);
    for (i = 0; i < count; ++i) {
        fprintf(out, "%s{\"first\": %d", i ? ", " : "", places[i]);
        put_number(out, "precision", precision_at(r, places[i]));
        fputc('}', out);
    }
    fputs("]}", out);
}

static int write_json(const suspects_run *r, const char *path)
{
    const suspects_arguments *a = &r->arguments;
    output_file o;
    FILE *out = output_open_or_stdout(&o, path);
    int i;
    if (out) {
        put_string(out, "{\n  ", "data", a->words[0]);
        put_string(out, ", ", "list", a->list);
        put_string(out, ", ", "cfg", a->words[1]);
        put_string(out, ", ", "weights", a->words[2]);
        put_string(out, ", ", "seen", r->seen);
        fprintf(out, ",\n  \"count\": %d, \"classes\": %d, \"disbelieved\": %d", r->images.count, r->images.classes,
                disbelieved(r));
        if (r->noisy) put_precision(out, r);
        fputs(",\n  \"suspects\": [", out);
        for (i = 0; i < r->listed; ++i) {
            const suspect_row row = row_of(r, i);
            put_string(out, i ? ",\n    {" : "\n    {", "path", row.path);
            put_string(out, ", ", "label", row.label);
            put_string(out, ", ", "predicted", row.predicted);
            put_number(out, "p_label", row.p_label);
            put_number(out, "p_predicted", row.p_predicted);
            put_number(out, "score", row.score);
            if (row.truth) put_string(out, ", ", "true_label", row.truth);
            fputc('}', out);
        }
        fputs("\n  ]\n}\n", out);
    }
    return output_close(&o);
}

static int draw_sheet(const suspects_run *r, const char *png)
{
    labelled_thumbnail cells[SHEET_IMAGES];
    const int count = r->listed < SHEET_IMAGES ? r->listed : SHEET_IMAGES;
    int i;
    for (i = 0; i < count; ++i) {
        const suspect_row row = row_of(r, i);
        const labelled_thumbnail cell = {row.path, row.label, row.predicted, row.p_predicted};
        cells[i] = cell;
    }
    return label_sheet_write(cells, count, r->letters, png);
}

static int report(const suspects_run *r)
{
    const suspects_arguments *a = &r->arguments;
    if ((!a->json || strcmp(a->json, "-")) && write_text(r)) return 1;
    if (a->json && write_json(r, a->json)) return 1;
    if (a->csv && write_csv(r, a->csv)) return 1;
    return a->sheet && draw_sheet(r, a->sheet);
}

int classifier_suspects(int argc, char **argv)
{
    suspects_run r = {.arguments = read_arguments(argc, argv)};
    const int status = read_inputs(&r) || classify(&r) || rank(&r) || report(&r);
    free(r.probabilities);
    free(r.order);
    labelled_images_free(&r.images);
    return status;
}
