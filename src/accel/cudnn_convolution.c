/* Choosing cuDNN's algorithms for a convolution, with the calls that cuDNN 8 and 9 have. */
#include "accel.h"

#if defined(GPU) && defined(CUDNN)

#include "cuda.h"

/* Workspace beyond this is not worth it; Darknet's own limit. */
static const size_t workspace_limit = 2000000000;

enum { CANDIDATES = 8 };

/* The results come fastest first; the first that fits is taken. The three results differ only in the type of `algo`. */
#define TAKE_FIRST(results, n, target)                                                                                 \
    do {                                                                                                               \
        int i_;                                                                                                        \
        for (i_ = 0; i_ < (n); ++i_)                                                                                   \
            if ((results)[i_].status == CUDNN_STATUS_SUCCESS && (results)[i_].memory <= workspace_limit) break;        \
        if (i_ == (n)) {                                                                                               \
            fprintf(stderr,                                                                                            \
                    "darknet: cuDNN has no algorithm for a convolution of %d filters %dx%d in %d groups; "             \
                    "build without CUDNN=1\n",                                                                         \
                    l->n, l->size, l->size, l->groups);                                                                \
            exit(1);                                                                                                   \
        }                                                                                                              \
        (target) = (results)[i_].algo;                                                                                 \
    } while (0)

void accel_choose_cudnn_algorithms(layer *l)
{
    cudnnConvolutionFwdAlgoPerf_t forward[CANDIDATES];
    cudnnConvolutionBwdDataAlgoPerf_t by_input[CANDIDATES];
    cudnnConvolutionBwdFilterAlgoPerf_t by_weights[CANDIDATES];
    int n = 0;

    /* With -nogpu no descriptor was made. */
    if (gpu_index < 0) return;
    cudnnGetConvolutionForwardAlgorithm_v7(cudnn_handle(), l->srcTensorDesc, l->weightDesc, l->convDesc,
                                           l->dstTensorDesc, CANDIDATES, &n, forward);
    TAKE_FIRST(forward, n, l->fw_algo);
    n = 0;
    cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnn_handle(), l->weightDesc, l->ddstTensorDesc, l->convDesc,
                                                l->dsrcTensorDesc, CANDIDATES, &n, by_input);
    TAKE_FIRST(by_input, n, l->bd_algo);
    n = 0;
    cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnn_handle(), l->srcTensorDesc, l->ddstTensorDesc, l->convDesc,
                                                  l->dweightDesc, CANDIDATES, &n, by_weights);
    TAKE_FIRST(by_weights, n, l->bf_algo);
}

#endif
