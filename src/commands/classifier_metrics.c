#include "commands/classifier_metrics.h"

#include "accel/cpu/accel_cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "commands/classifier_report.h"
#include "commands/command_line.h"
#include "data/data_value.h"
#include "data/labelled_images.h"
#include "data/letters.h"
#include "data/lists.h"
#include "eval/classification_file.h"
#include "eval/classification_human.h"
#include "eval/classification_metrics.h"
#include "eval/classify.h"
#include "eval/contact_sheet.h"

#include "darknet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char command[] = "classifier metrics";

static const char usage[] =
    "usage: darknet classifier metrics <data> <cfg> <weights> [<weights> ...] [options]\n"
    "           classifies the images of the data file's valid= list, and prints top-1 and top-5 accuracy, NLL, Brier\n"
    "           score, calibration (ECE, class-wise ECE, the best temperature), and every class's accuracy, precision\n"
    "           and F1. Several weights: each alone, and their ensemble, the mean of their predictions; what is about\n"
    "           single classes or images is then of the ensemble.\n"
    "what is evaluated, and how:\n"
    "    -list <key>      the list that this key of the data file names: valid (default) or train. With noise= or\n"
    "                     noise_file= the numbers are of the true labels\n"
    "    -changed <n>     with -list train: only images whose label noise= or noise_file= has changed, n of them at "
    "most,\n"
    "                     drawn with -seed\n"
    "    -tta flip        predicts the mean over each image and its mirror image\n"
    "    -top <k>         top-k beside top-1 (default top= of the data file; else 5, or less where there are\n"
    "                     no more than 5 classes)\n"
    "    -bins <n>        bins of the calibration errors and the diagram (default 15)\n"
    "    -seed <n>        of the halves for the temperature, the bootstrap, -changed and -random_start\n"
    "                     (default 1)\n"
    "what is added:\n"
    "    -mistakes <n>    lists the n most confident mistakes\n"
    "    -sheet <png>     and draws them, up to 1000, with label, predicted class and confidence below\n"
    "    -human <tsv>     the distance KL(human || model) over correctly classified images, from a table of human "
    "votes\n"
    "                     in the form of CIFAR-10H: columns file and p_<class>\n"
    "    -compare <json>  the difference in top-1 to the last model in an earlier -json, with its 95 % interval\n"
    "    -attack <name>   and top-1 and NLL of images that were changed so that the loss grows: fgsm (one step of eps) "
    "or\n"
    "                     pgd (many steps); of several weights each is attacked alone, and their ensemble is not\n"
    "    -eps <n>         how far a pixel may be changed, of 255 (default 8)\n"
    "    -steps <n>, -step_size <n>  of pgd: how many steps (20), and how long one is, of 255 (2)\n"
    "    -random_start    pgd starts from a random change\n"
    "what is written beside the report:\n"
    "    -json <file>     all numbers, and every image's prediction, confidence and correctness; - is standard "
    "output,\n"
    "                     in place of the report\n"
    "    -confusion <csv> the confusion matrix\n"
    "    -plot <png>      reliability diagram, and up to 100 classes the confusion matrix (needs gnuplot)\n"
    "    -probabilities <csv>  the predicted distribution of every image\n"
    "    -features <csv>  the features of every image, the input of the last section with weights; of one weights "
    "file\n";

enum { BOOTSTRAP_SAMPLES = 10000 };

/* ---- Arguments -------------------------------------------------------------------------------------------------- */

enum { UNSET = 0 }; /* -top: its default depends on the classes; -changed: all images */

typedef struct {
    const char **words; /* data, cfg, weights, ... */
    int weights_count;
    const char *list, *tta, *human, *compare, *json, *confusion, *plot, *probabilities, *features, *sheet, *attack;
    long long top, bins, seed, mistakes, steps, changed;
    double eps, step_size;
    int random_start;
} metrics_arguments;

/* The first `excluded` options are not for this attack, or for none. */
static void check_attack(const metrics_arguments *a, const command_option *options, int excluded)
{
    int k;
    if (a->attack && strcmp(a->attack, "fgsm") && strcmp(a->attack, "pgd"))
        refuse_value(command, "-attack", a->attack, "fgsm or pgd");
    for (k = 0; k < excluded; ++k) {
        if (options[k].given)
            die("%s: %s needs -attack%s", command, options[k].name, strcmp(options[k].name, "-eps") ? " pgd" : "");
    }
    if (a->attack && a->tta) die("%s: -attack and -tta exclude each other", command);
}

static void check_outputs(const metrics_arguments *a)
{
    if (a->sheet && !a->mistakes) die("%s: -sheet needs -mistakes", command);
    if (a->sheet && a->mistakes > SHEET_MOST)
        die("%s: -sheet draws %d images at most, and -mistakes is %lld", command, SHEET_MOST, a->mistakes);
    if (a->features && a->tta) die("%s: -features and -tta exclude each other", command);
    if (a->features && a->weights_count > 1)
        die("%s: -features is of one weights file, and these are %d", command, a->weights_count);
}

/* In pixels from 0 to 1. */
static attack_options attack_of(const metrics_arguments *a)
{
    const int pgd = a->attack && !strcmp(a->attack, "pgd");
    attack_options how = {1, a->eps / 255, a->eps / 255, 0, (uint64_t)a->seed};
    if (pgd) {
        how.steps = (int)a->steps;
        how.step_size = a->step_size / 255;
        how.random_start = a->random_start;
    }
    return how;
}

static metrics_arguments read_arguments(int argc, char **argv)
{
    metrics_arguments a = {.list = "valid", .top = UNSET, .bins = 15, .seed = 1, .steps = 20, .eps = 8, .step_size = 2};
    enum { PGD_OPTIONS = 3, ATTACK_OPTIONS = 4 }; /* the first ones are for -attack pgd, or for any -attack */
    command_option options[] = {
        {"-steps", OPTION_WHOLE, &a.steps, 1, 100000, 0, 0},
        {"-step_size", OPTION_NUMBER, &a.step_size, 0, 255, 0, 0},
        {"-random_start", OPTION_FLAG, &a.random_start, 0, 0, 0, 0},
        {"-eps", OPTION_NUMBER, &a.eps, 0, 255, 0, 0},
        {"-attack", OPTION_TEXT, &a.attack, 0, 0, 0, 0},
        {"-list", OPTION_TEXT, &a.list, 0, 0, 0, 0},
        {"-changed", OPTION_WHOLE, &a.changed, 1, 1000000000, 0, 0},
        {"-tta", OPTION_TEXT, &a.tta, 0, 0, 0, 0},
        {"-top", OPTION_WHOLE, &a.top, 1, 1000000, 0, 0},
        {"-bins", OPTION_WHOLE, &a.bins, 1, 1000, 0, 0},
        {"-seed", OPTION_WHOLE, &a.seed, 0, 0xffffffffu, 0, 0},
        {"-mistakes", OPTION_WHOLE, &a.mistakes, 0, 1000000, 0, 0},
        {"-human", OPTION_TEXT, &a.human, 0, 0, 0, 0},
        {"-compare", OPTION_TEXT, &a.compare, 0, 0, 0, 0},
        {"-json", OPTION_OUTPUT, &a.json, 0, 0, 0, 0},
        {"-confusion", OPTION_OUTPUT, &a.confusion, 0, 0, 0, 0},
        {"-plot", OPTION_PICTURE, &a.plot, 0, 0, 0, 0},
        {"-probabilities", OPTION_OUTPUT, &a.probabilities, 0, 0, 0, 0},
        {"-features", OPTION_OUTPUT, &a.features, 0, 0, 0, 0},
        {"-sheet", OPTION_PICTURE, &a.sheet, 0, 0, 0, 0},
    };
    command_line line = {
        command, usage, "<data> <cfg> <weights>", options, sizeof options / sizeof *options, 0, 3, argc, 0, 0};
    a.words = line.words = (const char **)xcalloc(argc, sizeof *line.words);
    read_command_line(&line, argc, argv);
    a.weights_count = line.word_count - 2;
    if (strcmp(a.list, "valid") && strcmp(a.list, "train")) refuse_value(command, "-list", a.list, "valid or train");
    if (a.changed != UNSET && strcmp(a.list, "train"))
        die("%s: -changed needs -list train, the only list that noise changes", command);
    if (a.tta && strcmp(a.tta, "flip")) refuse_value(command, "-tta", a.tta, "flip");
    check_attack(&a, options, a.attack && !strcmp(a.attack, "pgd") ? 0 : a.attack ? PGD_OPTIONS : ATTACK_OPTIONS);
    check_outputs(&a);
    return a;
}

/* ---- What the command works with -------------------------------------------------------------------------------- */

typedef struct {
    metrics_arguments arguments;
    labelled_images images;
    human_labels human;
    unsigned char *other_correct; /* with -compare: by image */
    float *probabilities;         /* [count][classes] of the model at hand */
    float *attacked;              /* with -attack: the same under it */
    float *features;              /* with -features: [count][feature_count] */
    int feature_count;
    image **letters;      /* with -sheet */
    float *sum;           /* of all models' probabilities; NULL for a single one */
    model_result *models; /* one for each weights file, and one for the ensemble */
    int model_count, top_k;
    char seen[300]; /* how images are seen */
} metrics_run;

/* ---- One model -------------------------------------------------------------------------------------------------- */

/* The images whose places are in `order`, as predictions of their own. The caller frees both arrays. */
static predictions chosen_predictions(const predictions *x, const int *order, int count)
{
    const size_t row = x->classes * sizeof *x->p;
    float *p = (float *)xmalloc(count * row);
    int *labels = (int *)xmalloc(count * sizeof *labels), i;
    predictions chosen = {p, labels, count, x->classes};
    for (i = 0; i < count; ++i) {
        memcpy(p + (size_t)i * x->classes, prediction_of(x, order[i]), row);
        labels[i] = x->labels[order[i]];
    }
    return chosen;
}

static void free_chosen(predictions x)
{
    free((float *)x.p);
    free((int *)x.labels);
}

static double ece_of(const predictions *x, int bin_count)
{
    calibration_bin *bins = (calibration_bin *)xcalloc(bin_count, sizeof *bins);
    double ece;
    reliability_bins(x, bins, bin_count);
    ece = expected_calibration_error(bins, bin_count);
    free(bins);
    return ece;
}

static temperature_result fit_temperature(const predictions *x, int bin_count, uint64_t seed)
{
    temperature_result t = {x->count / 2, x->count - x->count / 2, 0, 0, 0, 0, 0};
    int *order, i;
    predictions half;
    if (!t.fitted) {
        t.judged = 0;
        return t;
    }
    order = (int *)xmalloc(x->count * sizeof *order);
    split_order(x->count, seed, order);
    half = chosen_predictions(x, order, t.fitted);
    t.temperature = best_temperature(&half);
    free_chosen(half);
    half = chosen_predictions(x, order + t.fitted, t.judged);
    t.nll = negative_log_likelihood(&half);
    t.ece = ece_of(&half, bin_count);
    for (i = 0; i < half.count; ++i) {
        float *p = (float *)prediction_of(&half, i);
        scale_temperature(p, half.classes, t.temperature, p);
    }
    t.scaled_nll = negative_log_likelihood(&half);
    t.scaled_ece = ece_of(&half, bin_count);
    free_chosen(half);
    free(order);
    return t;
}

static void measure_by_image(const predictions *x, model_result *m)
{
    int i;
    m->predicted = (int *)xcalloc(x->count, sizeof *m->predicted);
    m->confidence = (float *)xcalloc(x->count, sizeof *m->confidence);
    m->correct = (unsigned char *)xcalloc(x->count, 1);
    for (i = 0; i < x->count; ++i) {
        const float *p = prediction_of(x, i);
        m->predicted[i] = predicted_class(p, x->classes);
        m->confidence[i] = p[m->predicted[i]];
        m->correct[i] = m->predicted[i] == x->labels[i];
    }
}

static void measure_classes(const predictions *x, model_result *m)
{
    size_t *confusion = (size_t *)xcalloc((size_t)x->classes * x->classes, sizeof *confusion);
    m->by_class = (class_metrics *)xcalloc(x->classes, sizeof *m->by_class);
    confusion_matrix(x->labels, m->predicted, x->count, x->classes, confusion);
    metrics_by_class(confusion, x->classes, m->by_class);
    free(confusion);
}

static void measure_humans(const predictions *x, const human_labels *human, model_result *m)
{
    double sum = 0;
    int i;
    for (i = 0; i < x->count; ++i) {
        if (!m->correct[i] || !human->known[i]) continue;
        sum += kl_divergence(human->h + (size_t)i * x->classes, prediction_of(x, i), x->classes);
        ++m->human_images;
    }
    m->human_kl = m->human_images ? sum / m->human_images : 0;
}

static void measure_noise(const labelled_images *images, model_result *m)
{
    int i;
    for (i = 0; i < images->count; ++i) {
        if (images->labels[i] == images->clean_labels[i]) continue;
        m->noisy_as_given += m->predicted[i] == images->labels[i];
        m->noisy_as_true += m->correct[i];
    }
}

/* `name` becomes the result's. */
static void measure(metrics_run *r, const float *probabilities, char *name)
{
    const predictions x = {probabilities, r->images.clean_labels, r->images.count, r->images.classes};
    const int bins = (int)r->arguments.bins;
    model_result *m = &r->models[r->model_count++];
    m->name = name;
    m->top1 = top_k_accuracy(&x, 1);
    m->top_k = top_k_accuracy(&x, r->top_k);
    m->nll = negative_log_likelihood(&x);
    m->brier = brier_score(&x);
    m->bins = (calibration_bin *)xcalloc(bins, sizeof *m->bins);
    reliability_bins(&x, m->bins, bins);
    m->ece = expected_calibration_error(m->bins, bins);
    m->classwise_ece = classwise_calibration_error(&x, bins);
    m->temperature = fit_temperature(&x, bins, r->arguments.seed);
    measure_by_image(&x, m);
    measure_classes(&x, m);
    measure_noise(&r->images, m);
    if (r->arguments.human) measure_humans(&x, &r->human, m);
    if (r->arguments.compare)
        m->against = paired_bootstrap(m->correct, r->other_correct, x.count, BOOTSTRAP_SAMPLES, .95, r->arguments.seed);
}

static void free_model(model_result *m)
{
    free(m->name);
    free(m->bins);
    free(m->by_class);
    free(m->predicted);
    free(m->confidence);
    free(m->correct);
    free(m->attacked.correct);
}

/* ---- The steps of the command ------------------------------------------------------------------------------------ */

/* Each returns 0, or 1 after one line on stderr. */

static int read_inputs(metrics_run *r)
{
    const metrics_arguments *a = &r->arguments;
    labelled_images *images = &r->images;
    long long top;
    int i;
    if (a->sheet) r->letters = load_letters();
    if (check_file("cfg", a->words[1])) return 1;
    for (i = 0; i < a->weights_count; ++i) {
        if (check_file("weights", a->words[2 + i])) return 1;
    }
    if (labelled_images_read(a->words[0], a->list, images)) return 1;
    if (a->changed != UNSET) keep_changed_images(images, (int)a->changed, (uint64_t)a->seed);
    if (!images->count)
        return report_error("%s: -changed: no label of train= in %s is changed (noise= or noise_file= does that)",
                            command, a->words[0]);
    for (i = 0; i < images->count; ++i) {
        if (images->clean_labels[i] < 0)
            return report_error("%s: no class of the data file is in the path", images->paths[i]);
    }
    if (a->top > images->classes)
        return report_error("%s: -top %lld: must be %d at most, the number of classes", command, a->top,
                            images->classes);
    top = a->top;
    if (top == UNSET) {
        top = default_top_k(images->classes);
        if (data_value_whole_number(a->words[0], "top", 1, images->classes, &top)) return 1;
    }
    r->top_k = (int)top;
    if (a->human &&
        human_labels_read(a->human, images->names, images->classes, images->paths, images->count, &r->human))
        return 1;
    if (!a->compare) return 0;
    r->other_correct = (unsigned char *)xcalloc(images->count, 1);
    return classification_file_read(a->compare, images->paths, images->clean_labels, images->count, r->other_correct);
}

static int allocate(metrics_run *r)
{
    const size_t n = (size_t)r->images.count * r->images.classes;
    const int several = r->arguments.weights_count > 1;
    r->models = (model_result *)xcalloc(r->arguments.weights_count + 1, sizeof *r->models);
    r->probabilities = (float *)calloc(n, sizeof *r->probabilities);
    r->attacked = r->arguments.attack ? (float *)calloc(n, sizeof *r->attacked) : 0;
    r->sum = several ? (float *)calloc(n, sizeof *r->sum) : 0;
    if (r->probabilities && (r->sum || !several) && (r->attacked || !r->arguments.attack)) return 0;
    return report_error("%s: no memory for the predictions of %d images and %d classes", command, r->images.count,
                        r->images.classes);
}

static int allocate_features(metrics_run *r, const network *net)
{
    r->feature_count = classifier_features(net, r->arguments.words[1]);
    if (!r->feature_count) return 1;
    r->features = (float *)calloc((size_t)r->images.count * r->feature_count, sizeof *r->features);
    if (r->features) return 0;
    return report_error("%s: no memory for %d features of %d images", command, r->feature_count, r->images.count);
}

/* Predicts with one weights file, into r->probabilities. */
static int classify_with(metrics_run *r, const char *weights)
{
    const metrics_arguments *a = &r->arguments;
    const attack_options attack = attack_of(a);
    classify_options how = {.flip = a->tta != 0, .labels = r->images.clean_labels};
    network *net;
    int status = 0;
    if (a->features) accel_allow_plans(0);
    net = load_classifier(a->words[1], weights, a->words[0], r->images.classes);
    if (!net) return 1;
    snprintf(r->seen, sizeof r->seen, "the square in the middle, scaled to %dx%d%s", net->w, net->h,
             a->tta ? ", and its mirror image" : "");
    if (a->features) status = allocate_features(r, net);
    how.features = r->features;
    if (!status) status = classify_images(net, r->images.paths, r->images.count, &how, r->probabilities);
    if (!status && a->attack) {
        how.attack = &attack;
        how.features = 0;
        status = attack_prepare(net, a->words[1]) ||
                 classify_images(net, r->images.paths, r->images.count, &how, r->attacked);
    }
    free_network(net);
    return status;
}

static void measure_attack(metrics_run *r, model_result *m)
{
    const predictions x = {r->attacked, r->images.clean_labels, r->images.count, r->images.classes};
    attack_result *a = &m->attacked;
    int i;
    a->given = 1;
    a->top1 = top_k_accuracy(&x, 1);
    a->nll = negative_log_likelihood(&x);
    a->correct = (unsigned char *)xcalloc(x.count, 1);
    for (i = 0; i < x.count; ++i) a->correct[i] = predicted_class(prediction_of(&x, i), x.classes) == x.labels[i];
}

static int evaluate(metrics_run *r)
{
    const int weights = r->arguments.weights_count;
    const size_t n = (size_t)r->images.count * r->images.classes;
    char name[64];
    size_t k;
    int i;
    for (i = 0; i < weights; ++i) {
        const char *file = r->arguments.words[2 + i];
        if (classify_with(r, file)) return 1;
        measure(r, r->probabilities, xstrdup(file));
        if (r->attacked) measure_attack(r, &r->models[i]);
        for (k = 0; r->sum && k < n; ++k) r->sum[k] += r->probabilities[k];
    }
    if (!r->sum) return 0;
    for (k = 0; k < n; ++k) r->probabilities[k] = r->sum[k] / weights;
    snprintf(name, sizeof name, "ensemble of %d", weights);
    measure(r, r->probabilities, xstrdup(name));
    return 0;
}

static int report(const metrics_run *r)
{
    const metrics_arguments *a = &r->arguments;
    const classifier_report report = {.data = a->words[0],
                                      .cfg = a->words[1],
                                      .list = a->list,
                                      .seen = r->seen,
                                      .names = r->images.names,
                                      .paths = r->images.paths,
                                      .labels = r->images.clean_labels,
                                      .count = r->images.count,
                                      .classes = r->images.classes,
                                      .top_k = r->top_k,
                                      .bin_count = (int)a->bins,
                                      .human = a->human,
                                      .compare = a->compare,
                                      .human_known = r->human.known_count,
                                      .noisy = count_changed_labels(&r->images),
                                      .attack = a->attack,
                                      .attack_how = attack_of(a),
                                      .models = r->models,
                                      .model_count = r->model_count,
                                      .mistakes = (int)a->mistakes};
    if ((!a->json || strcmp(a->json, "-")) && classifier_report_text(&report)) return 1;
    if (a->json && classifier_report_json(&report, a->json)) return 1;
    if (a->confusion && classifier_report_confusion(&report, a->confusion)) return 1;
    if (a->probabilities && classifier_report_probabilities(&report, r->probabilities, a->probabilities)) return 1;
    if (a->features && classifier_report_features(&report, r->features, r->feature_count, a->features)) return 1;
    if (a->sheet && classifier_report_sheet(&report, r->letters, a->sheet)) return 1;
    return a->plot && classifier_report_plot(&report, a->plot);
}

int classifier_metrics(int argc, char **argv)
{
    metrics_run r = {.arguments = read_arguments(argc, argv)};
    const int status = read_inputs(&r) || allocate(&r) || evaluate(&r) || report(&r);
    int m;
    for (m = 0; m < r.model_count; ++m) free_model(&r.models[m]);
    free(r.models);
    free(r.probabilities);
    free(r.attacked);
    free(r.features);
    free(r.sum);
    free(r.other_correct);
    human_labels_free(&r.human);
    labelled_images_free(&r.images);
    free(r.arguments.words);
    return status;
}
