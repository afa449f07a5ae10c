#include "commands/classifier_report.h"

#include "base/error.h"
#include "base/gnuplot.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/output_file.h"
#include "commands/confusion_plot.h"
#include "eval/contact_sheet.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LISTED_CLASSES = 100, /* up to here every class has its line; above, the worst ones of this number */
    WORST_CLASSES = 20,
    LISTED_PAIRS = 10 /* of classes that are taken for each other */
};

static const model_result *last_model(const classifier_report *r)
{
    return &r->models[r->model_count - 1];
}

/* The caller frees it. */
static size_t *confusion_of(const classifier_report *r)
{
    size_t *confusion = (size_t *)xcalloc((size_t)r->classes * r->classes, sizeof *confusion);
    confusion_matrix(r->labels, last_model(r)->predicted, r->count, r->classes, confusion);
    return confusion;
}

/* ---- Text ------------------------------------------------------------------------------------------------------- */

static int longest(char **names, int count, int least)
{
    int k;
    for (k = 0; k < count; ++k) {
        if ((int)strlen(names[k]) > least) least = (int)strlen(names[k]);
    }
    return least;
}

static void print_models(const classifier_report *r)
{
    char top[32];
    int width = (int)strlen("weights"), m;
    snprintf(top, sizeof top, "top-%d %%", r->top_k);
    for (m = 0; m < r->model_count; ++m) {
        if ((int)strlen(r->models[m].name) > width) width = (int)strlen(r->models[m].name);
    }
    printf("%-*s  %7s  %7s  %7s  %7s  %7s  %9s", width, "weights", "top-1 %", top, "NLL", "Brier", "ECE %",
           "class ECE");
    if (r->human) printf("  %9s", "KL(human)");
    printf("\n");
    for (m = 0; m < r->model_count; ++m) {
        const model_result *x = &r->models[m];
        printf("%-*s  %7.2f  %7.2f  %7.4f  %7.4f  %7.2f  %9.2f", width, x->name, 100 * x->top1, 100 * x->top_k, x->nll,
               x->brier, 100 * x->ece, 100 * x->classwise_ece);
        if (r->human) printf("  %9.4f", x->human_kl);
        printf("\n");
    }
}

static void print_temperatures(const classifier_report *r)
{
    const temperature_result *first = &r->models[0].temperature;
    int m;
    if (!first->fitted) return;
    printf("\nTemperature, fitted on %d of the images, and the other %d without and with it:\n", first->fitted,
           first->judged);
    for (m = 0; m < r->model_count; ++m) {
        const temperature_result *t = &r->models[m].temperature;
        printf("    T = %.3f: NLL %.4f -> %.4f, ECE %.2f %% -> %.2f %%  %s\n", t->temperature, t->nll, t->scaled_nll,
               100 * t->ece, 100 * t->scaled_ece, r->models[m].name);
    }
}

static void print_comparison(const classifier_report *r)
{
    int m;
    if (!r->compare) return;
    printf("\nTop-1 less that of %s, with its 95 %% interval by paired bootstrap:\n", r->compare);
    for (m = 0; m < r->model_count; ++m) {
        const paired_difference *d = &r->models[m].against;
        printf("    %+.2f points [%+.2f, %+.2f]  %s\n", 100 * d->difference, 100 * d->low, 100 * d->high,
               r->models[m].name);
    }
}

static void print_noise(const classifier_report *r)
{
    int m;
    if (!r->noisy) return;
    printf("\nNoise changed the label of %d images; all numbers are of the true labels. These are predicted\n",
           r->noisy);
    for (m = 0; m < r->model_count; ++m) {
        const model_result *x = &r->models[m];
        printf("    as the true class %.2f %%, as the label given %.2f %%  %s\n", 100. * x->noisy_as_true / r->noisy,
               100. * x->noisy_as_given / r->noisy, x->name);
    }
}

static void print_attack(const classifier_report *r)
{
    const attack_options *how = &r->attack_how;
    int m;
    if (!r->attack) return;
    if (!strcmp(r->attack, "fgsm"))
        printf("\nUnder FGSM, eps %g/255:\n", 255 * how->eps);
    else
        printf("\nUnder PGD, eps %g/255, %d steps of %g/255%s:\n", 255 * how->eps, how->steps, 255 * how->step_size,
               how->random_start ? " from a random start" : "");
    for (m = 0; m < r->model_count; ++m) {
        const model_result *x = &r->models[m];
        if (x->attacked.given)
            printf("    top-1 %.2f %%, NLL %.4f  %s\n", 100 * x->attacked.top1, x->attacked.nll, x->name);
    }
}

/* Something to be sorted by its key, lowest first. */
typedef struct {
    double key;
    int index;
} ranked;

static int by_key(const void *pa, const void *pb)
{
    const ranked *a = (const ranked *)pa, *b = (const ranked *)pb;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static void print_class(const char *name, int width, const class_metrics *c)
{
    printf("%-*s  %7lu  ", width, name, (unsigned long)c->images);
    if (c->images)
        printf("%10.2f  ", 100 * c->accuracy);
    else
        printf("%10s  ", "n/a");
    if (c->predicted)
        printf("%11.2f  ", 100 * c->precision);
    else
        printf("%11s  ", "n/a");
    if (c->images)
        printf("%7.2f\n", 100 * c->f1);
    else
        printf("%7s\n", "n/a");
}

/* Over the classes with images. */
static void print_means(const class_metrics *c, int classes, int width)
{
    double accuracy = 0, f1 = 0;
    size_t images = 0;
    int k, with_images = 0;
    for (k = 0; k < classes; ++k) {
        if (!c[k].images) continue;
        ++with_images;
        images += c[k].images;
        accuracy += c[k].accuracy;
        f1 += c[k].f1;
    }
    printf("%-*s  %7lu  %10.2f  %11s  %7.2f\n", width, "mean", (unsigned long)images, 100 * accuracy / with_images, "",
           100 * f1 / with_images);
}

static void print_classes(const classifier_report *r)
{
    const class_metrics *c = last_model(r)->by_class;
    const int width = longest(r->names, r->classes, 5), all = r->classes <= LISTED_CLASSES;
    const int listed = all ? r->classes : WORST_CLASSES;
    ranked *order = (ranked *)xcalloc(r->classes, sizeof *order);
    int k;
    for (k = 0; k < r->classes; ++k) {
        order[k].index = k;
        order[k].key = c[k].images ? c[k].accuracy : 2; /* behind all that have images */
    }
    if (!all) qsort(order, r->classes, sizeof *order, by_key);
    printf("\n");
    if (!all) printf("The %d classes with the lowest accuracy; -json has all %d.\n", listed, r->classes);
    printf("%-*s  %7s  %10s  %11s  %7s\n", width, "class", "images", "accuracy %", "precision %", "F1 %");
    for (k = 0; k < listed; ++k) print_class(r->names[order[k].index], width, &c[order[k].index]);
    print_means(c, r->classes, width);
    free(order);
}

typedef struct {
    size_t count;
    int label, predicted;
} pair;

static int by_count(const void *pa, const void *pb)
{
    const pair *a = (const pair *)pa, *b = (const pair *)pb;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    if (a->label != b->label) return a->label < b->label ? -1 : 1;
    return a->predicted < b->predicted ? -1 : 1;
}

static void print_pairs(const classifier_report *r)
{
    size_t *confusion = confusion_of(r), found = 0, i, most = 0;
    pair *pairs;
    int y, k;
    for (y = 0; y < r->classes; ++y) {
        for (k = 0; k < r->classes; ++k) most += y != k && confusion[(size_t)y * r->classes + k];
    }
    pairs = (pair *)xcalloc(most, sizeof *pairs);
    for (y = 0; y < r->classes; ++y) {
        for (k = 0; k < r->classes; ++k) {
            pair p = {confusion[(size_t)y * r->classes + k], y, k};
            if (y != k && p.count) pairs[found++] = p;
        }
    }
    qsort(pairs, found, sizeof *pairs, by_count);
    if (found) printf("\nTaken for another class most often:\n");
    for (i = 0; i < found && i < LISTED_PAIRS; ++i)
        printf("%7lu x %s taken for %s\n", (unsigned long)pairs[i].count, r->names[pairs[i].label],
               r->names[pairs[i].predicted]);
    free(pairs);
    free(confusion);
}

/* The mistakes, those with the highest confidence first. The caller frees the array. */
static ranked *rank_mistakes(const classifier_report *r, int *count)
{
    const model_result *x = last_model(r);
    ranked *wrong = (ranked *)xcalloc(r->count, sizeof *wrong);
    int i;
    *count = 0;
    for (i = 0; i < r->count; ++i) {
        if (x->correct[i]) continue;
        wrong[*count].index = i;
        wrong[(*count)++].key = -x->confidence[i];
    }
    qsort(wrong, *count, sizeof *wrong, by_key);
    return wrong;
}

static void print_mistakes(const classifier_report *r)
{
    const model_result *x = last_model(r);
    ranked *wrong;
    int count, i;
    if (!r->mistakes) return;
    wrong = rank_mistakes(r, &count);
    printf("\nThe most confident of %d mistakes:\n", count);
    for (i = 0; i < count && i < r->mistakes; ++i) {
        const int image = wrong[i].index;
        printf("%7.2f %%  %s, labelled %s: %s\n", 100 * x->confidence[image], r->names[x->predicted[image]],
               r->names[r->labels[image]], r->paths[image]);
    }
    free(wrong);
}

int classifier_report_text(const classifier_report *r)
{
    printf("%d images of %s= in %s, %d classes; %s\n\n", r->count, r->list, r->data, r->classes, r->seen);
    print_models(r);
    print_temperatures(r);
    print_comparison(r);
    print_noise(r);
    print_attack(r);
    if (r->human) printf("\nHuman votes for %d of the images: %s\n", r->human_known, r->human);
    if (r->model_count > 1) printf("\nBelow: the %s.\n", last_model(r)->name);
    print_classes(r);
    print_pairs(r);
    print_mistakes(r);
    if (fflush(stdout) || ferror(stdout)) return report_error("cannot write the report: %s", strerror(errno));
    return 0;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void put_strings(FILE *out, char **text, int count)
{
    int i;
    fputc('[', out);
    for (i = 0; i < count; ++i) {
        if (i) fputs(", ", out);
        json_put_string(out, text[i]);
    }
    fputc(']', out);
}

static void put_integers(FILE *out, const int *value, int count)
{
    int i;
    fputc('[', out);
    for (i = 0; i < count; ++i) fprintf(out, "%s%d", i ? ", " : "", value[i]);
    fputc(']', out);
}

typedef struct {
    const char *key;
    double value;
} member;

/* "key": {...} */
static void put_members(FILE *out, const char *key, const member *members, size_t count)
{
    size_t i;
    if (key) {
        json_put_string(out, key);
        fputs(": {", out);
    }
    for (i = 0; i < count; ++i) {
        if (i) fputs(", ", out);
        json_put_member(out, members[i].key, members[i].value);
    }
    if (key) fputc('}', out);
}

static void put_bins(FILE *out, const calibration_bin *bins, int count)
{
    int m;
    fputs("\"bins\": [", out);
    for (m = 0; m < count; ++m) {
        const double n = (double)bins[m].count;
        const member members[] = {{"low", (double)m / count},
                                  {"high", (m + 1.) / count},
                                  {"count", n},
                                  {"confidence", n > 0 ? bins[m].probability / n : NAN},
                                  {"accuracy", n > 0 ? bins[m].correct / n : NAN}};
        fputs(m ? ", {" : "{", out);
        put_members(out, 0, members, sizeof members / sizeof *members);
        fputc('}', out);
    }
    fputc(']', out);
}

static void put_classes(FILE *out, const classifier_report *r, const class_metrics *c)
{
    int k;
    fputs("\"classes\": [", out);
    for (k = 0; k < r->classes; ++k) {
        const member members[] = {{"images", (double)c[k].images},   {"predicted", (double)c[k].predicted},
                                  {"correct", (double)c[k].correct}, {"accuracy", c[k].accuracy},
                                  {"precision", c[k].precision},     {"f1", c[k].f1}};
        fprintf(out, "%s\n      {", k ? "," : "");
        json_put_text_member(out, "name", r->names[k]);
        fputs(", ", out);
        put_members(out, 0, members, sizeof members / sizeof *members);
        fputc('}', out);
    }
    fputc(']', out);
}

static void put_flags(FILE *out, const char *key, const unsigned char *flags, int count)
{
    int i;
    json_put_string(out, key);
    fputs(": [", out);
    for (i = 0; i < count; ++i) fprintf(out, "%s%d", i ? ", " : "", flags[i]);
    fputc(']', out);
}

static void put_attacked(FILE *out, const attack_result *a, int count)
{
    const member numbers[] = {{"top1", a->top1}, {"nll", a->nll}};
    fputs(",\n     \"attacked\": {", out);
    put_members(out, 0, numbers, sizeof numbers / sizeof *numbers);
    fputs(", ", out);
    put_flags(out, "correct", a->correct, count);
    fputc('}', out);
}

static void put_attack(FILE *out, const classifier_report *r)
{
    const attack_options *how = &r->attack_how;
    const member members[] = {{"eps", 255 * how->eps},
                              {"steps", how->steps},
                              {"step_size", 255 * how->step_size},
                              {"random_start", how->random_start}};
    fputs(",\n  \"attack\": {", out);
    json_put_text_member(out, "name", r->attack);
    fputs(", ", out);
    put_members(out, 0, members, sizeof members / sizeof *members);
    fputc('}', out);
}

static void put_images_of(FILE *out, const model_result *x, int count)
{
    int i;
    fputs("\"predicted\": ", out);
    put_integers(out, x->predicted, count);
    fputs(",\n     \"confidence\": [", out);
    for (i = 0; i < count; ++i) fprintf(out, "%s%.9g", i ? ", " : "", x->confidence[i]);
    fputs("],\n     ", out);
    put_flags(out, "correct", x->correct, count);
}

static void put_model(FILE *out, const classifier_report *r, const model_result *x)
{
    const temperature_result *t = &x->temperature;
    const member numbers[] = {{"top1", x->top1},   {"top_k", x->top_k}, {"nll", x->nll},
                              {"brier", x->brier}, {"ece", x->ece},     {"classwise_ece", x->classwise_ece}};
    const member scaling[] = {
        {"fitted", t->fitted}, {"judged", t->judged},         {"T", t->temperature},        {"nll", t->nll},
        {"ece", t->ece},       {"scaled_nll", t->scaled_nll}, {"scaled_ece", t->scaled_ece}};
    const member human[] = {{"kl", x->human_kl}, {"images", x->human_images}};
    const member noise[] = {{"images", r->noisy}, {"as_true", x->noisy_as_true}, {"as_given", x->noisy_as_given}};
    const member against[] = {
        {"difference", x->against.difference}, {"low", x->against.low}, {"high", x->against.high}};
    fputs("\n    {", out);
    json_put_text_member(out, "weights", x->name);
    fputs(",\n     ", out);
    put_members(out, 0, numbers, sizeof numbers / sizeof *numbers);
    if (t->fitted) {
        fputs(",\n     ", out);
        put_members(out, "temperature", scaling, sizeof scaling / sizeof *scaling);
    }
    if (r->human) {
        fputs(",\n     ", out);
        put_members(out, "human", human, sizeof human / sizeof *human);
    }
    if (r->compare) {
        fputs(",\n     ", out);
        put_members(out, "compared", against, sizeof against / sizeof *against);
    }
    if (r->noisy) {
        fputs(",\n     ", out);
        put_members(out, "noise", noise, sizeof noise / sizeof *noise);
    }
    fputs(",\n     ", out);
    put_bins(out, x->bins, r->bin_count);
    fputs(",\n     ", out);
    put_classes(out, r, x->by_class);
    fputs(",\n     ", out);
    put_images_of(out, x, r->count);
    if (x->attacked.given) put_attacked(out, &x->attacked, r->count);
    fputc('}', out);
}

static void write_json(FILE *out, const classifier_report *r)
{
    int m;
    fputs("{\n  ", out);
    json_put_text_member(out, "data", r->data);
    fputs(", ", out);
    json_put_text_member(out, "list", r->list);
    fputs(", ", out);
    json_put_text_member(out, "cfg", r->cfg);
    fputs(", ", out);
    json_put_text_member(out, "seen", r->seen);
    fprintf(out, ",\n  \"top\": %d, \"count\": %d,\n  \"names\": ", r->top_k, r->count);
    put_strings(out, r->names, r->classes);
    if (r->human) {
        fputs(",\n  ", out);
        json_put_text_member(out, "human", r->human);
    }
    if (r->compare) {
        fputs(",\n  ", out);
        json_put_text_member(out, "compared_with", r->compare);
    }
    if (r->attack) put_attack(out, r);
    fputs(",\n  \"images\": {\n    \"paths\": ", out);
    put_strings(out, r->paths, r->count);
    fputs(",\n    \"labels\": ", out);
    put_integers(out, r->labels, r->count);
    fputs("},\n  \"models\": [", out);
    for (m = 0; m < r->model_count; ++m) {
        if (m) fputc(',', out);
        put_model(out, r, &r->models[m]);
    }
    fputs("\n  ]\n}\n", out);
}

int classifier_report_json(const classifier_report *r, const char *path)
{
    output_file o;
    FILE *out = output_open_or_stdout(&o, path);
    if (out) write_json(out, r);
    return output_close(&o);
}

/* ---- CSV -------------------------------------------------------------------------------------------------------- */

static void put_names(FILE *out, const classifier_report *r)
{
    int k;
    for (k = 0; k < r->classes; ++k) {
        fputc(',', out);
        csv_put_field(out, r->names[k]);
    }
    fputc('\n', out);
}

int classifier_report_confusion(const classifier_report *r, const char *path)
{
    size_t *confusion = confusion_of(r);
    output_file o;
    FILE *out = output_open(&o, path);
    int y, k;
    if (out) {
        fputs("label \\ predicted", out);
        put_names(out, r);
        for (y = 0; y < r->classes; ++y) {
            csv_put_field(out, r->names[y]);
            for (k = 0; k < r->classes; ++k) fprintf(out, ",%lu", (unsigned long)confusion[(size_t)y * r->classes + k]);
            fputc('\n', out);
        }
    }
    free(confusion);
    return output_close(&o);
}

int classifier_report_probabilities(const classifier_report *r, const float *p, const char *path)
{
    output_file o;
    FILE *out = output_open(&o, path);
    int i, k;
    if (out) {
        fputs("path,label", out);
        put_names(out, r);
        for (i = 0; i < r->count; ++i) {
            csv_put_field(out, r->paths[i]);
            fprintf(out, ",%d", r->labels[i]);
            for (k = 0; k < r->classes; ++k) fprintf(out, ",%.9g", p[(size_t)i * r->classes + k]);
            fputc('\n', out);
        }
    }
    return output_close(&o);
}

int classifier_report_features(const classifier_report *r, const float *features, int feature_count, const char *path)
{
    const model_result *x = last_model(r);
    output_file o;
    FILE *out = output_open(&o, path);
    int i, k;
    if (out) {
        fputs("path,label,predicted", out);
        for (k = 0; k < feature_count; ++k) fprintf(out, ",f%d", k);
        fputc('\n', out);
        for (i = 0; i < r->count; ++i) {
            csv_put_field(out, r->paths[i]);
            fputc(',', out);
            csv_put_field(out, r->names[r->labels[i]]);
            fputc(',', out);
            csv_put_field(out, r->names[x->predicted[i]]);
            for (k = 0; k < feature_count; ++k) fprintf(out, ",%.9g", features[(size_t)i * feature_count + k]);
            fputc('\n', out);
        }
    }
    return output_close(&o);
}

/* ---- Contact sheet ---------------------------------------------------------------------------------------------- */

int classifier_report_sheet(const classifier_report *r, image **letters, const char *png)
{
    const model_result *x = last_model(r);
    int count, i, status;
    ranked *wrong = rank_mistakes(r, &count);
    labelled_thumbnail *cells = (labelled_thumbnail *)xcalloc(r->mistakes, sizeof *cells);
    if (count > r->mistakes) count = r->mistakes;
    for (i = 0; i < count; ++i) {
        const int image = wrong[i].index;
        const labelled_thumbnail cell = {r->paths[image], r->names[r->labels[image]], r->names[x->predicted[image]],
                                         x->confidence[image]};
        cells[i] = cell;
    }
    status = label_sheet_write(cells, count, letters, png);
    free(cells);
    free(wrong);
    return status;
}

/* ---- Picture ---------------------------------------------------------------------------------------------------- */

static void draw_reliability(FILE *out, const classifier_report *r)
{
    const model_result *x = last_model(r);
    char title[300];
    int m;
    snprintf(title, sizeof title, "Reliability: top-1 %.2f %%, ECE %.2f %%", 100 * x->top1, 100 * x->ece);
    fputs("set title ", out);
    gnuplot_quote(out, title);
    fputs("\n$bins << EOD\n", out);
    for (m = 0; m < r->bin_count; ++m) {
        const double n = (double)x->bins[m].count, middle = (m + .5) / r->bin_count;
        if (n > 0)
            fprintf(out, "%.6g %.6g %.6g %.6g\n", middle, x->bins[m].correct / n, x->bins[m].probability / n,
                    n / r->count);
        else
            fprintf(out, "%.6g 0 0 0\n", middle);
    }
    fprintf(out,
            "EOD\nset xrange [0:1]\nset yrange [0:1]\nset xtics .2\nset ytics .2\nset grid\nset size square\n"
            "set xlabel 'confidence'\nset ylabel 'accuracy'\nset key top left\nset style fill solid .8 border\n"
            "set boxwidth %.6g\n"
            "plot $bins using 1:2 with boxes lc rgb '#6baed6' title 'accuracy', "
            "$bins using 1:($3-$2 > 0 ? $2 : 1/0):1:1:2:3 with boxxyerror lc rgb '#ffffff' notitle, "
            "x with lines lc rgb '#666666' dt 2 title 'calibrated', "
            "$bins using 1:4 with boxes fs empty lc rgb '#cb181d' title 'share of the images'\n",
            1. / r->bin_count);
}

static void draw_confusion(FILE *out, const classifier_report *r)
{
    const int classes = r->classes;
    size_t *confusion = confusion_of(r);
    const class_metrics *c = last_model(r)->by_class;
    double *percent = (double *)xcalloc((size_t)classes * classes, sizeof *percent);
    const confusion_plot plot = {
        "Confusion: % of the images of a class", "label", "predicted", classes, classes, r->names, r->names, percent};
    int i;
    for (i = 0; i < classes * classes; ++i)
        if (confusion[i]) percent[i] = 100. * confusion[i] / c[i / classes].images;
    confusion_plot_write(out, &plot);
    free(percent);
    free(confusion);
}

int classifier_report_plot(const classifier_report *r, const char *png)
{
    const int map = r->classes <= CONFUSION_PLOT_MOST;
    const int side = confusion_plot_side(r->classes);
    gnuplot_picture p;
    const char *error;
    gnuplot_begin(&p, png, map ? 2 * side : side, side + 40);
    fprintf(p.script, "set termoption font ',%d'\nset multiplot layout 1,%d title ", confusion_plot_font(r->classes),
            map ? 2 : 1);
    gnuplot_quote(p.script, last_model(r)->name);
    fputc('\n', p.script);
    draw_reliability(p.script, r);
    if (map) draw_confusion(p.script, r);
    fputs("unset multiplot\n", p.script);
    error = gnuplot_end(&p);
    return error ? report_error("cannot draw %s: %s", png, error) : 0;
}
