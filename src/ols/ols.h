/* Online Label Smoothing, the method: targets, loss, gradient, statistics and soft-label state.
 *
 * These are plain functions over arrays, without Darknet, files or the command line. They are also built as a library
 * of their own (libols.a). docs/ols.md explains the method on one page. Equation numbers are those of "Delving Deep
 * into Label Smoothing" (Zhang et al., IEEE TIP 2021).
 *
 * Shapes: K classes, B samples. Matrices are row-major floats. `logits`, `probs`, `truth` and `delta` are B x K;
 * `labels`, `hits` and `loss` are B.
 *     S[y][k]   the soft labels: the share of class k in the soft label of class y (K x K)
 *     A[y][k]   the sums of predictions from which the next S is computed (Eq. 5, K x K)
 *     p         the predicted distribution of a sample: the softmax of its logits
 *     q         the target of a sample
 *     delta     the NEGATIVE gradient of the loss with respect to the logits, the sign that Darknet uses; with a
 *               temperature, with respect to logits / temperature, as Darknet leaves out the factor 1 / temperature
 *
 * Every method makes the target of a sample of class y from two parts (ols_target_spec):
 *     q[k]  = hard_weight * [k == y] + soft_weight * row[k],    row = S[y], or the same value for every class
 *     loss  = -sum_k q[k] log p[k]                              (Eq. 4 as a single cross entropy)
 *     delta = q - target_sum * p,    target_sum = sum_k q[k]    (1 with the paper's weights)
 * A detector that scores every class by itself (a sigmoid and a binary cross entropy each) has for each class
 *     loss  = hard_weight * BCE([k == y], p[k]) + soft_weight * BCE(row[k], p[k])
 *     delta = q[k] - target_weight * p[k],    target_weight = hard_weight + soft_weight
 * where a row that is all zero has no soft term: target_weight is then hard_weight. Where rows sum to 1, target_sum and
 * target_weight are the same.
 * Methods whose loss is no cross entropy of a fixed target add a term to it (ols_term), or let pairs of samples meet
 * (pair_weight); docs/methods.md has the equation of each.
 * A sample may be a mixture of two classes, as mixup makes it: its loss is that of either class, weighed by its share.
 *
 * A function `f` and its CUDA twin `f_gpu` take the same arguments in the same order. Array arguments of the twin are
 * device pointers, and it runs on the default stream of the current device.
 */
#ifndef OLS_H
#define OLS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Options ---------------------------------------------------------------------------------------------------- */

/* docs/methods.md has the equation and the source of each. Their table is in targets.c. */
typedef enum {
    OLS_HARD,
    OLS_LS,
    OLS_OLS,
    OLS_SINGLE,   /* as OLS, but a soft label is the prediction of one sample */
    OLS_BOOTSOFT, /* Reed et al. 2015 */
    OLS_BOOTHARD, /* the same */
    OLS_DISTURB,  /* Xie et al. 2016 */
    OLS_SCE,      /* Wang et al. 2019 */
    OLS_GCE,      /* Zhang and Sabuncu 2018 */
    OLS_PC,       /* Dubey et al. 2018 */
    OLS_TFKD      /* Yuan et al. 2020, regularisation */
} ols_smoothing;

/* Variants of the authors' code: other defaults (the table of presets in options.c). */
typedef enum { OLS_PAPER, OLS_CIFAR, OLS_FINE_GRAINED } ols_preset;

/* Contents of a row of S that cannot be computed from predictions. */
typedef enum { OLS_ROW_UNIFORM, OLS_ROW_ZERO, OLS_ROW_LS, OLS_ROW_KEEP } ols_row;

/* What a row of A is divided by when it becomes a row of S. */
typedef enum {
    OLS_BY_SUM, /* its sum, Eq. 6 */
    OLS_BY_HITS /* the correct predictions of the class: S[y] is the mean prediction, and no entry is above 1 */
} ols_normalisation;

typedef struct {
    ols_smoothing smoothing;
    ols_preset preset;
    float alpha;                 /* a of Eq. 4: weight of the hard label, 0..1 */
    float soft_weight;           /* weight of the soft label; negative (the default) means 1 - alpha */
    float epsilon;               /* e of Eq. 2, for smoothing=ls and init=ls, 0..1 */
    int64_t period;              /* iterations between two updates of S; 0 = one epoch */
    int64_t start;               /* hard labels alone until S has been updated this often; S is gathered meanwhile */
    ols_row init;                /* S before the first update: UNIFORM (paper), ZERO (the authors' CIFAR code), LS */
    ols_row empty;               /* row without a correct prediction: UNIFORM, ZERO (no soft loss), KEEP (unchanged) */
    ols_normalisation normalise; /* what a row of A is divided by */
    float soft_temperature;      /* T, .1..10: new rows are raised to 1/T, with their old sum; below 1 sharpens */
    float decay;     /* d, 0..1: S = d S + (1 - d) row; the first update, and a row of zeros: the row alone */
    float freeze;    /* a row whose largest entry has reached this is not updated any more, unless there is no correct
                        prediction (then `empty`); 0 = never. The first update ignores it, because init=ls begins with
                        large entries */
    float boot_beta; /* of bootsoft and boothard: weight of the label, 0..1; negative (the default): .95 and .8 */
    float disturb_alpha;       /* the part of the samples whose label is drawn anew, 0..1 */
    float sce_alpha, sce_beta; /* weights of the cross entropy and of the reverse one */
    float sce_a;               /* A, which stands for log 0 */
    float gce_q;               /* 0..1: from the cross entropy to the absolute error */
    float pc_lambda;           /* weight of the squared distance of two predictions */
    int64_t pc_start;          /* iterations before the first one with that term */
    float tfkd_alpha;          /* weight of the teacher, 0..1 */
    float tfkd_c;              /* what the teacher gives the right class, 0..1 */
    float tfkd_temperature;    /* tau, from 1 on */
} ols_options;

/* The default options, with `smoothing` as the method. */
ols_options ols_default_options(ols_smoothing smoothing);

/* The cfg key of option i, in the order of ols_options; NULL if i is past the last option. */
const char *ols_option_key(int i);

/* Sets one option from the text of a cfg. Ignores a trailing comment ('#...'). Returns 0; or -1 for an unknown key or
 * an invalid value: the allowed values are then in `range` (`size` bytes), and `options` is unchanged. `preset` sets
 * further options: set it before these, as the order of ols_option_key does. */
int ols_set_option(ols_options *options, const char *key, const char *value, char *range, size_t size);

/* The key of the first option in which two sets of options differ; NULL when they are equal. */
const char *ols_option_difference(const ols_options *a, const ols_options *b);

/* Parses one decimal number in [low, high]. Ignores a trailing comment ('#...'). Returns 0 and sets *out, or returns
 * -1. */
int ols_parse_number(const char *value, double low, double high, double *out);

/* The name of a method in a cfg: "hard", "ls", "ols", ...; NULL past the last method. */
const char *ols_smoothing_name(int smoothing);

/* 1 if the method keeps statistics and therefore needs an ols_state; otherwise 0. */
int ols_has_state(const ols_options *options);

/* 1 if what a class score is drawn to, in the mean over the samples of a class, is less than the one-hot label;
 * otherwise 0. */
int ols_softens(const ols_options *options);

/* What the class scores of a layer are: those of an [ols] section; or of an object in a head, where they are the
 * softmax of logits, the sigmoid of each, or the numbers themselves. */
typedef enum { OLS_CLASSIFIER, OLS_SOFTMAX_HEAD, OLS_SIGMOID_HEAD, OLS_LINEAR_HEAD } ols_scores;

/* NULL if the method is defined for such scores; otherwise why it is not, as half a sentence. */
const char *ols_unfit(const ols_options *options, ols_scores scores);

/* ---- State ------------------------------------------------------------------------------------------------------ */

typedef struct {
    int classes;        /* K */
    float *S;           /* K x K, row = true class; each row sums to 1, or is all zero; OLS_BY_HITS: or to up to K */
    float *A;           /* K x K, Eq. 5 */
    float *row_sum;     /* K: the sum of each row of S; exactly 1 where only rounding is between */
    int64_t *correct;   /* K: samples of the class since the last update that were predicted correctly */
    int64_t *seen;      /* K: samples of the class since the last update */
    int64_t images;     /* images since the last update: the position in the epoch */
    int64_t iterations; /* iterations since the last update */
    int64_t updates;    /* updates so far, t of Eq. 6 */
    int64_t unlabelled; /* samples since the last update without a class: ols_labels */
    /* Not in a checkpoint: */
    int single;    /* a row of A is not a sum but the prediction of one of the correct samples, each as likely */
    uint64_t seed; /* of that choice; the same in replicas and in a resumed run */
    /* Device copies; NULL if the state is on the host. With them, the arrays above are out of date until ols_pull. */
    float *S_gpu, *A_gpu, *row_sum_gpu;
    int64_t *correct_gpu, *seen_gpu; /* K each */
    int64_t *unlabelled_gpu;         /* 1 */
} ols_state;

/* Bytes of host memory for a state of K classes; a device copy takes as many again. 3.8 GB at K = 21,841. */
size_t ols_state_bytes(int classes);

/* Allocates a state and fills S as `options->init` says. Returns NULL when memory runs out. The caller frees it with
 * ols_free_state. */
ols_state *ols_new_state(int classes, const ols_options *options);
void ols_free_state(ols_state *state);

/* Resets the state to before the first epoch, on the device too: S as `options->init` says; A, counts, position and
 * number of updates 0. Returns 0, or the cudaError_t of the copy to the device. */
int ols_reset_state(ols_state *state, const ols_options *options);

/* Clears A, the counts and the position in the epoch; keeps S. Host arrays only. */
void ols_clear_statistics(ols_state *state);

/* Adds A, counts and position of `from` to those of `to`, which has the same K. Host arrays only. Call it in the order
 * of the replicas, so that the sums are reproducible. With `single`, a row of A becomes that of `from` with the
 * probability of its share in the correct predictions, so that each of all of them is as likely. */
void ols_add_statistics(ols_state *to, const ols_state *from);

/* Copies S, the number of updates and the seed from a state of the same K; A, counts and position stay. Host arrays
 * only. */
void ols_copy_soft_labels(ols_state *to, const ols_state *from);

/* Copies all that a checkpoint holds from a state of the same K. Host arrays only. */
void ols_copy_state(ols_state *to, const ols_state *from);

/* Copy between the host arrays and the device arrays: all of them, or the counts alone. Do nothing for a state on the
 * host. Return 0, or the cudaError_t of the failed call. */
int ols_pull(ols_state *state);        /* device -> host */
int ols_pull_counts(ols_state *state); /* device -> host; S, A and row_sum stay as they are */
int ols_push(ols_state *state);        /* host -> device */

/* ---- One batch -------------------------------------------------------------------------------------------------- */

/* What is added to the cross entropy of the target, times term_weight. y is the class of the sample; p and z are those
 * of its softmax. */
typedef enum {
    OLS_NO_TERM,
    OLS_ENTROPY,   /* -sum_k p[k] log p[k]; the gradient goes through both p */
    OLS_PREDICTED, /* -log p[c]; c is the class with the largest probability, the first one at a tie, and a constant */
    OLS_REVERSE,   /* 1 - p[y] */
    OLS_POWER,     /* (1 - p[y]^exponent) / exponent; its limit -log p[y] where exponent is 0 */
    OLS_TEACHER    /* -sum_k u[k] log v[k]; v: the softmax of exponent * logits; u: teacher[0] for y, teacher[1] else */
} ols_term;

/* What the target of a sample is made from (see the equations at the top), and what its loss has beside it. */
typedef struct {
    float hard_weight;    /* of the hard label */
    float soft_weight;    /* of the row */
    float uniform;        /* every entry of the row, if S is NULL */
    const float *S;       /* K x K, or NULL */
    const float *row_sum; /* K: the sum of each row of S; NULL: all are 1 */
    ols_term term;        /* none with hard labels, LS and OLS */
    float term_weight, exponent, teacher[2];
    float pair_weight; /* of sum_k (p[k] - p'[k])^2 in the loss of a pair of samples of two classes; half in each loss.
                          The pairs: sample i with sample i + B / 2, for i < B / 2; of an odd B, the last is alone */
    float disturb;     /* the probability that the class of the target is drawn, each of the K as likely */
    uint64_t draws;    /* decides these draws. Set it anew for every batch: ols_draw_key */
} ols_target_spec;

/* A number for `draws`: as good as random, and always the same for the same numbers. */
uint64_t ols_draw_key(uint64_t seed, uint64_t counter, uint64_t part);

/* The target spec of the method in `options`. `state` may be NULL for methods without one. The spec points to the host
 * arrays of the state. */
ols_target_spec ols_make_target_spec(const ols_options *options, const ols_state *state, int classes);
/* The same with pointers to the state's device arrays. */
ols_target_spec ols_make_target_spec_gpu(const ols_options *options, const ols_state *state, int classes);

/* Writes the target q (K floats) of a sample of class `label` (0..K-1) and returns the sum of q: target_sum, of the
 * delta of a softmax. */
float ols_target(const ols_target_spec *spec, int classes, int label, float *q);
/* target_weight, of the delta of classes that are scored each by itself. */
float ols_target_weight(const ols_target_spec *spec, int label);

/* For heads, which know the scores and not the logits: writes what the term adds to delta (K floats) for a sample of
 * class `label` whose scores are p (K floats). With `softmax`, p is one distribution. Otherwise each is the probability
 * of a class scored by itself: its entropy is then -p log p - (1 - p) log (1 - p), and -log p[c] of OLS_PREDICTED is
 * the binary cross entropies of the one-hot label c. Zeros if the spec has no term. */
void ols_term_delta(const ols_target_spec *spec, int classes, int label, int softmax, const float *p, float *delta);

/* The class that a sample of class `label` is trained on: `label`, or with the probability `disturb` another draw.
 * `number` tells apart the samples of a batch. */
int ols_draw_class(const ols_target_spec *spec, int classes, int label, uint64_t number);

/* Reads a class from every row of truth. A row has
 *     one entry that is not 0    the class: labels[b] is its index, whatever its value
 *     two, both above 0, whose sum is 1 within OLS_SHARE_ERROR
 *                                a mixture of two classes, and the entries are their shares: labels[b] is the class
 *                                with the larger share, the first one at a tie
 *     anything else              no class: labels[b] is -1 */
#define OLS_SHARE_ERROR 1e-6f
void ols_labels(int classes, int batch, const float *truth, int *labels);

/* Computes softmax, loss and delta of a batch. For every sample b:
 *     probs = softmax(logits / temperature)
 *     labels[b] = the class in truth, as in ols_labels
 *     loss[b] = -sum_k q[k] log p[k], delta = q - target_sum p, and the spec's terms
 *     hits[b] = labels[b] if that class has the largest probability (the first, at a tie), else -1
 * q is the target of the sample's class; of a mixture of the classes c and d with the shares truth[c] and truth[d] it
 * is truth[c] times the target of c plus truth[d] times that of d (the share of the later class is taken as 1 minus the
 * other). A sample with label -1 uses its row of truth as the target, with target_sum 1, as in Darknet's [softmax], and
 * has no term and no pair.
 * log p comes from the logits minus their maximum, so it is finite where p underflows to 0. A NaN or +infinity among
 * the logits makes probs, delta and loss of the sample NaN, and the sample is no hit. A logit of -infinity gives its
 * class the probability 0. */
void ols_softmax_cross_entropy(const ols_target_spec *spec, int classes, int batch, const float *logits,
                               float temperature, const float *truth, float *probs, float *delta, float *loss,
                               int *labels, int *hits);

/* Eq. 5: adds the probs of every hit to A, in batch order, and counts all samples (those with label -1 as unlabelled).
 * `labels` and `hits` come from ols_softmax_cross_entropy. */
void ols_accumulate(ols_state *state, int batch, const float *probs, const int *labels, const int *hits);

/* The same for one sample whose K scores are `stride` floats apart. Negative scores count as 0: the class scores of
 * YOLO v1 are linear. A score that is not finite means no hit. */
void ols_accumulate_scores(ols_state *state, const float *scores, int stride, int label);

/* ---- Update ----------------------------------------------------------------------------------------------------- */

/* 1 if an update of S is due: after `period` iterations, or, if that is 0, after `epoch_images` images. Otherwise 0. */
int ols_due(const ols_state *state, const ols_options *options, int64_t epoch_images);

/* Eq. 6: computes S from A, with the exceptions in `options` (normalise, soft_temperature, decay, empty,
 * freeze), and then clears A and the
 * counts. Images beyond `epoch_images` count for the next epoch, so that updates stay aligned with epochs even if the
 * batch size does not divide their length. */
void ols_update(ols_state *state, const ols_options *options, int64_t epoch_images);

typedef struct {
    int64_t correct, seen, unlabelled; /* sums over classes; call ols_count BEFORE the update, which clears them */
    double diagonal;                   /* mean of S[y][y] over classes whose row is not zero */
    double entropy;                    /* mean entropy of these rows, each divided by its sum, in nats */
    struct {
        int label, other;
        float value; /* S[label][other], label != other; 0: none */
    } confusions[3]; /* the three largest, in descending order */
} ols_summary;

void ols_count(const ols_state *state, ols_summary *summary);     /* fills correct, seen and unlabelled */
void ols_summarize(const ols_state *state, ols_summary *summary); /* fills the other members, from S */

/* ---- The block in a checkpoint ---------------------------------------------------------------------------------- */

/* The layout of the block, by byte offset; negative offsets count from the end. All integers are little-endian, as
 * everything in a .weights file.
 *       0  8        magic "OLSstate"
 *       8  u32      version, 1
 *      12  u32      K
 *      16  i64 x 4  images, iterations, updates, unlabelled
 *      48  f32      S, K x K
 *          f32      A, K x K
 *          i64      correct, K
 *          i64      seen, K
 *     -16  u64      length of the whole block in bytes, for finding the block from the end of a file
 *      -8  u32      CRC-32 of everything before it
 *      -4  4        "OLS\n"
 */
#define OLS_BLOCK_MAGIC "OLSstate"
#define OLS_BLOCK_VERSION 1
#define OLS_BLOCK_END "OLS\n"
enum { OLS_BLOCK_HEADER = 48, OLS_BLOCK_FOOTER = 16 };

/* Continues a CRC-32, which begins as 0, with n bytes. */
uint32_t ols_checksum(uint32_t crc, const void *bytes, size_t n);

/* The length of the block of K classes, in bytes. */
uint64_t ols_block_bytes(int classes);

/* Writes the block, from the host arrays, by calling write(context, bytes, n) for each piece in order. Returns 0, or -1
 * as soon as write returns non-zero. */
int ols_write_block(const ols_state *state, int (*write)(void *context, const void *bytes, size_t n), void *context);

/* The length of the block, from a footer of OLS_BLOCK_FOOTER bytes; 0 if these bytes are no footer. */
uint64_t ols_footer_length(const unsigned char *footer);

/* Checks a header of OLS_BLOCK_HEADER bytes and sets *classes to its K. Returns 0, or -1 with *reason set to a static
 * string. */
int ols_read_header(const unsigned char *header, int *classes, const char **reason);

/* Reads a block by calling read(context, bytes, n), which returns 0 after reading n bytes. `state` must have the K of
 * the block. Its host arrays change only if the whole block is valid: checksum, entries of S from 0 to 1, finite
 * sums, non-negative counts. Returns 0, or -1 with *reason set to a static string. Needs memory for a second state
 * meanwhile. */
int ols_read_block(ols_state *state, int (*read)(void *context, void *bytes, size_t n), void *context,
                   const char **reason);

#ifdef GPU
/* ---- CUDA ------------------------------------------------------------------------------------------------------- */
/* Return 0, or the cudaError_t of the failed call (see cudaGetErrorString). */

int ols_state_to_gpu(ols_state *state); /* allocates device copies on the current device and fills them */

/* Twins of the functions above. loss, labels and hits are device pointers too. */
int ols_softmax_cross_entropy_gpu(const ols_target_spec *spec, int classes, int batch, const float *logits,
                                  float temperature, const float *truth, float *probs, float *delta, float *loss,
                                  int *labels, int *hits);
int ols_accumulate_gpu(ols_state *state, int batch, const float *probs, const int *labels, const int *hits);
/* Updates S, A and the counts on the device; the host arrays are out of date until ols_pull. */
int ols_update_gpu(ols_state *state, const ols_options *options, int64_t epoch_images);
/* Frees the device copies; ols_free_state calls it. */
void ols_free_gpu(ols_state *state);
#endif

#ifdef __cplusplus
}
#endif
#endif
