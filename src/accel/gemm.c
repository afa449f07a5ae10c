/* Matrix products through OpenBLAS: [connected] and recurrent layers, and convolutions that oneDNN declines. */
#include "accel.h"

#ifdef OPENBLAS

#include <cblas.h>

int accel_gemm(int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
               const float *b, int ldb, float beta, float *c, int ldc)
{
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, m, n,
                k, alpha, a, lda, b, ldb, beta, c, ldc);
    return 1;
}

#endif
