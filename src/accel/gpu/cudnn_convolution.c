/* Chooses cuDNN's algorithms for a convolution, with calls that exist in cuDNN 7, 8 and 9. */
#include "accel/gpu/accel_gpu.h"

#if defined(GPU) && defined(CUDNN)

#include "base/error.h"
#include "base/memory.h"

#include "cuda.h"

#include <pthread.h>
#include <string.h>

/* Algorithms that need a larger workspace are not used, as in Darknet. */
static const size_t workspace_limit = 2000000000;

enum { CANDIDATES = 8 };

/* ---- Choices that were made before ------------------------------------------------------------------------------- */

/* Choices are cached, because a network with random=1 returns to each of ten sizes hundreds of times.
 * onednn_convolution.c has a cache of its own: its keys and values differ, and it has to free them, so only a search
 * loop could be shared. */

/* All that a choice depends on. Only integers, so that memcmp compares no padding. */
typedef struct {
    int device, batch, c, h, w, n, groups, size, stride, pad;
} shape;

typedef struct choice {
    shape key;
    cudnnConvolutionFwdAlgo_t forward;
    cudnnConvolutionBwdDataAlgo_t backward_data;
    cudnnConvolutionBwdFilterAlgo_t backward_filter;
    size_t workspace; /* bytes, enough for each of the three */
    struct choice *next;
} choice;

static choice *choices;
static pthread_mutex_t choices_lock = PTHREAD_MUTEX_INITIALIZER; /* with several GPUs, each has a thread */

static choice *find_choice(const shape *key)
{
    choice *found;
    for (found = choices; found && memcmp(&found->key, key, sizeof *key); found = found->next) {
    }
    return found;
}

/* ---- Choosing --------------------------------------------------------------------------------------------------- */

static void no_algorithm(const layer *l)
{
    die("cuDNN has no algorithm for a convolution of %d filters %dx%d in %d groups; build without CUDNN=1", l->n,
        l->size, l->size, l->groups);
}

/* Sets `target` to the best of the `results`, which are sorted by speed: the first deterministic one whose workspace
 * fits, or else the first whose workspace fits. Raises `most` to its workspace. A macro, because the three kinds of
 * results differ in the type of `algo`. */
#define TAKE_BEST(l, results, n, target, most)                                                                         \
    do {                                                                                                               \
        int i_, best_ = -1;                                                                                            \
        for (i_ = 0; i_ < (n); ++i_) {                                                                                 \
            if ((results)[i_].status != CUDNN_STATUS_SUCCESS || (results)[i_].memory > workspace_limit) continue;      \
            if (best_ < 0) best_ = i_;                                                                                 \
            if ((results)[i_].determinism != CUDNN_DETERMINISTIC) continue;                                            \
            best_ = i_;                                                                                                \
            break;                                                                                                     \
        }                                                                                                              \
        if (best_ < 0) no_algorithm(l);                                                                                \
        (target) = (results)[best_].algo;                                                                              \
        if ((results)[best_].memory > (most)) (most) = (results)[best_].memory;                                        \
    } while (0)

static choice *new_choice(const layer *l, const shape *key)
{
    cudnnConvolutionFwdAlgoPerf_t forward[CANDIDATES];
    cudnnConvolutionBwdDataAlgoPerf_t backward_data[CANDIDATES];
    cudnnConvolutionBwdFilterAlgoPerf_t backward_filter[CANDIDATES];
    choice *made = (choice *)xcalloc(1, sizeof *made);
    int n = 0;
    made->key = *key;
    cudnnGetConvolutionForwardAlgorithm_v7(cudnn_handle(), l->srcTensorDesc, l->weightDesc, l->convDesc,
                                           l->dstTensorDesc, CANDIDATES, &n, forward);
    TAKE_BEST(l, forward, n, made->forward, made->workspace);
    n = 0;
    cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnn_handle(), l->weightDesc, l->ddstTensorDesc, l->convDesc,
                                                l->dsrcTensorDesc, CANDIDATES, &n, backward_data);
    TAKE_BEST(l, backward_data, n, made->backward_data, made->workspace);
    n = 0;
    cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnn_handle(), l->srcTensorDesc, l->ddstTensorDesc, l->convDesc,
                                                  l->dweightDesc, CANDIDATES, &n, backward_filter);
    TAKE_BEST(l, backward_filter, n, made->backward_filter, made->workspace);
    made->next = choices;
    return choices = made;
}

void accel_choose_cudnn_algorithms(layer *l)
{
    shape key;
    choice *found;
    /* with -nogpu there are no descriptors */
    if (gpu_index < 0) return;
    check_error(cudaGetDevice(&key.device));
    key.batch = l->batch;
    key.c = l->c;
    key.h = l->h;
    key.w = l->w;
    key.n = l->n;
    key.groups = l->groups;
    key.size = l->size;
    key.stride = l->stride;
    key.pad = l->pad;
    pthread_mutex_lock(&choices_lock);
    found = find_choice(&key);
    if (!found) found = new_choice(l, &key);
    pthread_mutex_unlock(&choices_lock);
    l->fw_algo = found->forward;
    l->bd_algo = found->backward_data;
    l->bf_algo = found->backward_filter;
    l->workspace_size = found->workspace;
}

void accel_renew_cudnn_workspace(network *net)
{
    size_t most = 0;
    int i;
    for (i = 0; i < net->n; ++i)
        if (net->layers[i].workspace_size > most) most = net->layers[i].workspace_size;
    if (gpu_index < 0 || !most) return;
    cuda_free(net->workspace);
    net->workspace = cuda_make_array(0, (most - 1) / sizeof(float) + 1);
}

void accel_check_cudnn(cudnnStatus_t status)
{
    if (status != CUDNN_STATUS_SUCCESS) die("cuDNN failed: %s", cudnnGetErrorString(status));
}

#endif
