/* What `darknet classifier metrics` says: as text, JSON, CSV and a picture. */
#ifndef CLASSIFIER_REPORT_H
#define CLASSIFIER_REPORT_H

#include "eval/classification_attack.h"
#include "eval/classification_metrics.h"

/* The temperature that fits best on one half of the images, and the other half without and with it. */
typedef struct {
    int fitted, judged; /* images of each half; 0 and 0: too few images, and the rest is 0 */
    double temperature;
    double nll, ece;               /* of the judged half as it is */
    double scaled_nll, scaled_ece; /* with the temperature */
} temperature_result;

/* The same images under an attack. */
typedef struct {
    int given; /* 0 for an ensemble, whose models are attacked one by one */
    double top1, nll;
    unsigned char *correct; /* by image */
} attack_result;

/* One model's numbers. */
typedef struct {
    char *name; /* its weights file, or "ensemble of 3" */
    double top1, top_k, nll, brier, ece, classwise_ece;
    temperature_result temperature;
    calibration_bin *bins; /* of the reliability diagram */
    class_metrics *by_class;
    /* by image: */
    int *predicted;
    float *confidence;
    unsigned char *correct;
    /* with -human: KL(human || model), the mean over the images that are classified correctly and have votes */
    double human_kl;
    int human_images; /* how many those are */
    /* with -compare: top-1 of this model less that of the other file's last one */
    paired_difference against;
    /* of the images whose label noise= or noise_file= changed: predicted as the label that was given, and as the true
     * one */
    int noisy_as_given, noisy_as_true;
    attack_result attacked; /* with -attack */
} model_result;

/* All of it. Strings and arrays are the caller's. */
typedef struct {
    const char *data, *cfg, *list; /* list: the key of the data file that names it */
    const char *seen;              /* how images are seen, in words */
    char **names, **paths;
    const int *labels; /* the true ones */
    int count, classes, top_k, bin_count;
    const char *human, *compare; /* the files of these options, or NULL */
    int human_known;             /* images with votes */
    int noisy;                   /* images whose label was changed by noise= or noise_file= */
    const char *attack;          /* fgsm or pgd, or NULL */
    attack_options attack_how;
    const model_result *models; /* the last one is the ensemble, where there is one */
    int model_count;
    int mistakes; /* how many are listed */
} classifier_report;

/* Each returns 0, or 1 after one line on stderr. Files appear whole; for the JSON "-" is stdout. The confusion matrix
 * and the pictures are of the last model. */
int classifier_report_text(const classifier_report *report);
int classifier_report_json(const classifier_report *report, const char *path);
int classifier_report_confusion(const classifier_report *report, const char *path);

/* The distributions of the last model: a line for every image with its path, its label and `classes` probabilities. */
int classifier_report_probabilities(const classifier_report *report, const float *probabilities, const char *path);

/* Features of every image: a line with its path, the names of its label and of the class that is predicted, and
 * `feature_count` numbers. */
int classifier_report_features(const classifier_report *report, const float *features, int feature_count,
                               const char *path);

/* The most confident mistakes, report->mistakes of them at most, as one picture (eval/contact_sheet.h). */
int classifier_report_sheet(const classifier_report *report, image **letters, const char *png);

/* The reliability diagram, and up to 100 classes the confusion matrix as a heat map (needs gnuplot). */
int classifier_report_plot(const classifier_report *report, const char *png);

#endif
