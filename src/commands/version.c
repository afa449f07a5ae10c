/* The Makefile defines two macros for this file only. OLS_VERSION is the text of the file VERSION. OLS_DARKNET is the
 * Darknet that the program was built from: the version of Debian's source package, or the folder given as DARKNET=. */
#include "commands/version.h"

#include <stdio.h>

#ifdef ONEDNN
#include <dnnl.h>
#endif
#ifdef OPENBLAS
#include <cblas.h>
#endif
#ifdef OPENCV
#include <opencv2/core/version.hpp>
#endif
#ifdef GPU
#include <cuda_runtime_api.h>
#endif
#ifdef CUDNN
#include <cudnn.h>
#endif

/* The switches of the Makefile that are on. */
static const char switches[] =
#ifdef GPU
    " GPU"
#endif
#ifdef CUDNN
    " CUDNN"
#endif
#ifdef OPENCV
    " OPENCV"
#endif
#ifdef _OPENMP
    " OPENMP"
#endif
#ifdef ONEDNN
    " ONEDNN"
#endif
#ifdef OPENBLAS
    " OPENBLAS"
#endif
#ifndef __OPTIMIZE__
    " DEBUG"
#endif
#ifdef __SANITIZE_ADDRESS__
    " SANITIZE"
#endif
    "";

void print_version(void)
{
    printf("darknet-ols %s\nbuilt from: Darknet %s\nswitches:%s\n", OLS_VERSION, OLS_DARKNET,
           *switches ? switches : " none");
#ifdef ONEDNN
    {
        const dnnl_version_t *v = dnnl_version();
        printf("oneDNN %d.%d.%d\n", v->major, v->minor, v->patch);
    }
#endif
#ifdef OPENBLAS
    printf("%s\n", openblas_get_config()); /* begins with "OpenBLAS" and its version */
#endif
#ifdef OPENCV
    printf("OpenCV %s\n", CV_VERSION);
#endif
#ifdef GPU
    {
        int version = 0;
        cudaRuntimeGetVersion(&version); /* 1000 x major + 10 x minor */
        printf("CUDA %d.%d\n", version / 1000, version / 10 % 100);
    }
#endif
#ifdef CUDNN
    printf("cuDNN %d.%d.%d\n", CUDNN_MAJOR, CUDNN_MINOR, CUDNN_PATCHLEVEL);
#endif
}
