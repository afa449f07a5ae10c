/* Online Label Smoothing, the method: targets, loss, gradient, statistics and soft-label state.
 *
 * Plain functions over arrays; nothing here knows Darknet, files or the command line, so that it is also a library of
 * its own (libols.a). docs/ols.md teaches the method on one page. Equation numbers are those of "Delving Deep into
 * Label Smoothing" (Zhang et al., IEEE TIP 2021).
 *
 * Shapes: K classes, B samples. Matrices are row-major floats. `logits`, `probs`, `truth` and `delta` are B x K;
 * `labels`, `hits` and `loss` are B.
 *     S[y][k]   the soft labels: what a sample of class y is taught about class k (K x K)
 *     A[y][k]   the sums from which the next S is made (Eq. 5, K x K)
 *     p         the predicted distribution of a sample, softmax of its logits
 *     q         its target
 *     delta     the NEGATIVE gradient of the loss by the logits, which is Darknet's sign (by logits / temperature,
 * where there is one: Darknet leaves that factor out)
 *
 * Every method makes the target of a sample of class y from two parts (ols_target_spec):
 *     q[k]  = hard_weight * [k == y] + soft_weight * row[k],    row = S[y], or the same value for every class
 *     loss  = -sum_k q[k] log p[k]                              (Eq. 4 as a single cross entropy)
 *     delta = q - target_sum * p,    target_sum = sum_k q[k]    (1 with the paper's weights)
 *
 * A function `f` and its CUDA twin `f_gpu` take the same arguments in the same order; the twin's array arguments are
 * device pointers and it runs on the default stream of the current device.
 */
#ifndef OLS_H
#define OLS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Options ---------------------------------------------------------------------------------------------------- */

typedef enum { OLS_HARD, OLS_LS, OLS_OLS } ols_smoothing;

/* What a row of S holds where no prediction says what it should be. */
typedef enum { OLS_ROW_UNIFORM, OLS_ROW_ZERO, OLS_ROW_LS, OLS_ROW_KEEP } ols_row;

typedef struct {
    ols_smoothing smoothing;
    float alpha;       /* a of Eq. 4: weight of the hard label, 0..1 */
    float soft_weight; /* weight of the soft label; negative (the default) means 1 - alpha */
    float epsilon;     /* e of Eq. 2, for smoothing=ls and init=ls, 0..1 */
    int64_t period;    /* iterations between two updates of S; 0 = an epoch */
    ols_row init;      /* S before the first update: UNIFORM (paper), ZERO (the authors' CIFAR code), LS */
    ols_row empty;     /* row of a class with no correct prediction: UNIFORM, ZERO (its soft term is dropped), KEEP */
    float freeze;      /* a row whose largest entry has reached this is left alone (from the second update on, because
                          init=ls is confident before anything was learned); 0 = never */
} ols_options;

ols_options ols_default_options(ols_smoothing smoothing);

/* The i-th option's key, as it is written in a cfg, in the order of the struct; NULL behind the last. */
const char *ols_option_key(int i);

/* Sets one option from text. A trailing comment ('#...') is ignored. Returns 0, or -1 with the allowed range written to
 * `range` (`size` bytes); `options` is then unchanged. */
int ols_set_option(ols_options *options, const char *key, const char *value, char *range, size_t size);

/* The key of the first option in which two sets of options differ; NULL when they are equal. */
const char *ols_option_difference(const ols_options *a, const ols_options *b);

/* 0 and *out when the text, up to a comment, is one decimal number in [low, high]; -1 otherwise. */
int ols_parse_number(const char *value, double low, double high, double *out);

/* Name of a method as it is written in a cfg: "hard", "ls", "ols"; NULL behind the last method. */
const char *ols_smoothing_name(int smoothing);

/* 1 when the method keeps statistics, that is, needs an ols_state. */
int ols_has_state(const ols_options *options);

/* ---- State ------------------------------------------------------------------------------------------------------ */

typedef struct {
    int classes;        /* K */
    float *S;           /* K x K, row = true class; each row sums to 1, or is all zero */
    float *A;           /* K x K, Eq. 5 */
    float *row_sum;     /* K: the sum of each row of S: 1, or 0 for a row that is all zero */
    int64_t *correct;   /* K: samples of the class since the last update that were predicted correctly */
    int64_t *seen;      /* K: samples of the class since the last update */
    int64_t images;     /* images since the last update: the position in the epoch */
    int64_t iterations; /* iterations since the last update */
    int64_t updates;    /* updates so far, t of Eq. 6 */
    int64_t unlabelled; /* samples since the last update that had no single class */
    /* Device copies; NULL when the state lives on the host. Then the host arrays above are stale until ols_pull. */
    float *S_gpu, *A_gpu, *row_sum_gpu;
    int64_t *correct_gpu, *seen_gpu; /* K each */
    int64_t *unlabelled_gpu;         /* 1 */
} ols_state;

/* Bytes that a state of K classes takes (on the host; as much again on a device). 3.8 GB at K = 21,841. */
size_t ols_state_bytes(int classes);

/* A new state with S as `options->init` says. Caller frees it with ols_free_state. NULL when memory is short. */
ols_state *ols_new_state(int classes, const ols_options *options);
void ols_free_state(ols_state *state);

/* Back to the first epoch: S as `options->init` says, A, counts and position zero. On the device too, if it is there:
 * then 0, or what CUDA says. */
int ols_reset_state(ols_state *state, const ols_options *options);

/* Clears A, the counts and the position; S stays. Host arrays only. */
void ols_clear_statistics(ols_state *state);

/* Adds A, counts and position of `from` to `to`, host arrays only. Same K. For replicas: call in replica order. */
void ols_add_statistics(ols_state *to, const ols_state *from);

/* Copies S and the number of updates from a state of the same K, host arrays only; A, counts and position stay. */
void ols_copy_soft_labels(ols_state *to, const ols_state *from);

/* Copies everything from a state of the same K, host arrays only. */
void ols_copy_state(ols_state *to, const ols_state *from);

/* Copies between the host's arrays and the device's; all of them, or the counts alone. They do nothing for a state that
 * lives on the host. Return 0, or the cudaError_t of what failed. */
int ols_pull(ols_state *state);        /* device -> host */
int ols_pull_counts(ols_state *state); /* device -> host; S, A and row_sum stay as they are */
int ols_push(ols_state *state);        /* host -> device */

/* ---- One batch -------------------------------------------------------------------------------------------------- */

/* How the target of a sample is made from its class (see the top). */
typedef struct {
    float hard_weight;    /* of the hard label */
    float soft_weight;    /* of the row */
    float uniform;        /* every entry of the row, where S is NULL */
    const float *S;       /* K x K, or NULL */
    const float *row_sum; /* K, sums of the rows of S (0 or 1); NULL: 1 */
} ols_target_spec;

/* What `options` ask for. `state` may be NULL for methods without one. Host pointers, the state's. */
ols_target_spec ols_make_target_spec(const ols_options *options, const ols_state *state, int classes);
/* The same with the state's device pointers. */
ols_target_spec ols_make_target_spec_gpu(const ols_options *options, const ols_state *state, int classes);

/* Writes the target q (K) of class `label` (0..K-1) and returns its sum. */
float ols_target(const ols_target_spec *spec, int classes, int label, float *q);

/* labels[b] = the class of one-hot row b of truth, or -1 where not exactly one entry is non-zero. */
void ols_labels(int classes, int batch, const float *truth, int *labels);

/* The forward pass of a softmax with its loss, in one pass over the samples. For every sample b:
 *     probs = softmax(logits / temperature)
 *     labels[b] as ols_labels finds it in truth
 *     loss[b] = -sum_k q[k] log p[k], delta = q - target_sum p
 *     hits[b] = labels[b] where that class has the largest probability (the first, at a tie), else -1
 * The log is taken from the logits with the maximum subtracted, so it is finite where p underflows. A sample with label
 * -1 is trained on its row of truth as it stands, as Darknet's [softmax] does. A NaN or infinity among the logits makes
 * the sample's probs, delta and loss NaN (-infinity alone is a class that is ruled out), and it is no hit. */
void ols_softmax_cross_entropy(const ols_target_spec *spec, int classes, int batch, const float *logits,
                               float temperature, const float *truth, float *probs, float *delta, float *loss,
                               int *labels, int *hits);

/* Eq. 5: adds probs of every hit to A, in batch order, and counts the samples; those with label -1 as unlabelled.
 * `labels` and `hits` are those of ols_softmax_cross_entropy. */
void ols_accumulate(ols_state *state, int batch, const float *probs, const int *labels, const int *hits);

/* The same for one sample whose K scores lie `stride` floats apart; scores may be any numbers, negative ones count as 0
 * (linear class scores of YOLO v1 can be). */
void ols_accumulate_scores(ols_state *state, const float *scores, int stride, int label);

/* ---- Update ----------------------------------------------------------------------------------------------------- */

/* 1 when the next soft labels are due: `period` iterations, or `epoch_images` images, were seen. */
int ols_due(const ols_state *state, const ols_options *options, int64_t epoch_images);

/* Eq. 6: S from A, with the exceptions that `options` asks for; then A and the counts are cleared. The position keeps
 * what was seen beyond `epoch_images` (so that updates stay aligned with epochs whose length the batch size does not
 * divide). */
void ols_update(ols_state *state, const ols_options *options, int64_t epoch_images);

typedef struct {
    int64_t correct, seen, unlabelled; /* sums over classes; take them BEFORE the update */
    double diagonal;                   /* mean of S[y][y] over classes whose row is not zero */
    double entropy;                    /* mean entropy of the rows, in nats */
    struct {
        int label, other;
        float value; /* S[label][other], label != other; value 0: none */
    } confusions[3]; /* the largest, falling */
} ols_summary;

void ols_count(const ols_state *state, ols_summary *summary);     /* fills the counts */
void ols_summarize(const ols_state *state, ols_summary *summary); /* fills what is read off S */

/* ---- The block in a checkpoint ---------------------------------------------------------------------------------- */

/* All integers little-endian, as everything in a .weights file.
 *   0  8        magic "OLSstate"
 *   8  u32      version, 1
 *  12  u32      K
 *  16  i64 x 4  images, iterations, updates, unlabelled
 *  48  f32      S, K x K
 *      f32      A, K x K
 *      i64      correct, K
 *      i64      seen, K
 *   -16  u64    bytes of the whole block, footer included: it is found from the end of a file
 *   -8   u32    CRC-32 of all before it
 *   -4   4      "OLS\n"
 */
#define OLS_BLOCK_MAGIC "OLSstate"
#define OLS_BLOCK_VERSION 1
enum { OLS_BLOCK_HEADER = 48, OLS_BLOCK_FOOTER = 16 };

uint64_t ols_block_bytes(int classes);

/* Calls write(context, bytes, n) for the pieces of the block in order; stops with -1 when it returns non-zero. */
int ols_write_block(const ols_state *state, int (*write)(void *context, const void *bytes, size_t n), void *context);

/* Length that a footer of OLS_BLOCK_FOOTER bytes states, or 0 when it is no footer. */
uint64_t ols_footer_length(const unsigned char *footer);

/* Version and K that a header of OLS_BLOCK_HEADER bytes states. Returns 0, or -1 with the reason. */
int ols_read_header(const unsigned char *header, int *classes, const char **reason);

/* Reads a block by read(context, bytes, n) (0 = all n were read). `state` must have the block's K; it changes only when
 * the whole block is sound: checksum, finite rows that sum to 0 or 1, non-negative counts. Returns 0, or -1 with the
 * reason. Needs memory for a second state while it reads. */
int ols_read_block(ols_state *state, int (*read)(void *context, void *bytes, size_t n), void *context,
                   const char **reason);

#ifdef GPU
/* ---- CUDA ------------------------------------------------------------------------------------------------------- */
/* Return 0, or the cudaError_t of what failed (see cudaGetErrorString). */

int ols_state_to_gpu(ols_state *state); /* allocates the device copies on the current device and pushes */

/* Twins. loss, labels, hits: device, B. */
int ols_softmax_cross_entropy_gpu(const ols_target_spec *spec, int classes, int batch, const float *logits,
                                  float temperature, const float *truth, float *probs, float *delta, float *loss,
                                  int *labels, int *hits);
int ols_accumulate_gpu(ols_state *state, int batch, const float *probs, const int *labels, const int *hits);
/* S, A and counts on the device. */
int ols_update_gpu(ols_state *state, const ols_options *options, int64_t epoch_images);
void ols_free_gpu(ols_state *state);
#endif

#ifdef __cplusplus
}
#endif
#endif
