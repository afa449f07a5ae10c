/* Choosing cuDNN's algorithms for a convolution, with the calls that cuDNN 7, 8 and 9 have. */
#include "accel/gpu/accel_gpu.h"

#if defined(GPU) && defined(CUDNN)

#include "cuda.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Workspace beyond this is not worth it; Darknet's own limit. */
static const size_t workspace_limit = 2000000000;

enum { CANDIDATES = 8 };

/* ---- Shapes that were met before: random=1 comes back to each of ten sizes hundreds of times ----------------------
 */

/* All that the choice depends on. Integers alone, so that memcmp compares no padding. */
typedef struct {
    int device, batch, c, h, w, n, groups, size, stride, pad;
} shape;

typedef struct choice {
    shape key;
    cudnnConvolutionFwdAlgo_t forward;
    cudnnConvolutionBwdDataAlgo_t by_input;
    cudnnConvolutionBwdFilterAlgo_t by_weights;
    size_t workspace; /* bytes that the hungriest of the three needs */
    struct choice *next;
} choice;

static choice *choices;
static pthread_mutex_t choices_lock = PTHREAD_MUTEX_INITIALIZER; /* networks on several GPUs have a thread each */

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
    fprintf(stderr,
            "darknet: cuDNN has no algorithm for a convolution of %d filters %dx%d in %d groups; build without "
            "CUDNN=1\n",
            l->n, l->size, l->size, l->groups);
    exit(1);
}

/* The results come fastest first. Taken is the first that fits and whose sums have one order, or else the first that
 * fits. The three results differ only in the type of `algo`. */
#define TAKE_BEST(results, n, target, most)                                                                            \
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
    cudnnConvolutionBwdDataAlgoPerf_t by_input[CANDIDATES];
    cudnnConvolutionBwdFilterAlgoPerf_t by_weights[CANDIDATES];
    choice *made = (choice *)calloc(1, sizeof *made);
    int n = 0;
    if (!made) {
        fprintf(stderr, "darknet: out of memory\n");
        exit(1);
    }
    made->key = *key;
    cudnnGetConvolutionForwardAlgorithm_v7(cudnn_handle(), l->srcTensorDesc, l->weightDesc, l->convDesc,
                                           l->dstTensorDesc, CANDIDATES, &n, forward);
    TAKE_BEST(forward, n, made->forward, made->workspace);
    n = 0;
    cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnn_handle(), l->weightDesc, l->ddstTensorDesc, l->convDesc,
                                                l->dsrcTensorDesc, CANDIDATES, &n, by_input);
    TAKE_BEST(by_input, n, made->by_input, made->workspace);
    n = 0;
    cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnn_handle(), l->srcTensorDesc, l->ddstTensorDesc, l->convDesc,
                                                  l->dweightDesc, CANDIDATES, &n, by_weights);
    TAKE_BEST(by_weights, n, made->by_weights, made->workspace);
    made->next = choices;
    return choices = made;
}

void accel_choose_cudnn_algorithms(layer *l)
{
    shape key;
    choice *found;
    /* With -nogpu no descriptor was made. */
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
    l->bd_algo = found->by_input;
    l->bf_algo = found->by_weights;
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
    if (status == CUDNN_STATUS_SUCCESS) return;
    fprintf(stderr, "darknet: cuDNN failed: %s\n", cudnnGetErrorString(status));
    exit(1);
}

#endif
