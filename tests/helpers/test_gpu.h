/* Shared by the tests of CUDA code: whether there is a GPU, and a test that is reported as skipped. */
#ifndef TEST_GPU_H
#define TEST_GPU_H

#include "helpers/test_helpers.h"

static inline void skipped(void **test)
{
    (void)test;
    skip();
}

/* no_gpu: the reason why there is no GPU to test on; 0 if there is one. */
#ifdef GPU

#include <cuda_runtime_api.h>

#define assert_cuda(call)                                                                                              \
    do {                                                                                                               \
        int status_ = (int)(call);                                                                                     \
        if (status_) fail_msg("%s: %s", #call, cudaGetErrorString((cudaError_t)status_));                              \
    } while (0)

#define GPU_TEST(name) TEST(name)

static inline const char *no_gpu(void)
{
    int devices = 0;
    cudaError_t status = cudaGetDeviceCount(&devices);
    if (status != cudaSuccess) return cudaGetErrorString(status);
    return devices ? 0 : "no CUDA device";
}

#else

/* What the test runs is not compiled. */
#define GPU_TEST(name)                                                                                                 \
    {                                                                                                                  \
#name, skipped, 0, 0, 0                                                                                        \
    }

static inline const char *no_gpu(void)
{
    return "built without GPU=1";
}

#endif

/* Where there is no GPU, all of these tests are skipped, with the reason. */
static inline void skip_without_gpu(struct CMUnitTest *tests, size_t count)
{
    const char *reason = no_gpu();
    size_t i;
    if (!reason) return;
    printf("# SKIP: %s\n", reason);
    fflush(stdout);
    for (i = 0; i < count; ++i) {
        tests[i].test_func = skipped;
        tests[i].setup_func = tests[i].teardown_func = 0;
    }
}

#endif
