/* Matrix products through OpenBLAS: [connected] and recurrent layers, and convolutions that oneDNN declines.
 *
 * Large ones are cut into one part per OpenMP thread, and OpenBLAS is kept to the calling thread: its own threads spin
 * for a while after every product, and take the processor from the OpenMP threads that everything else runs on.
 */
#include "accel/cpu/accel_cpu.h"

#ifdef OPENBLAS

#if __has_include(<cblas-openblas.h>)
#include <cblas-openblas.h> /* Debian: <cblas.h> may be another library's */
#else
#include <cblas.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

/* Multiplications below which a second thread costs more than it saves. */
static const double parallel_from = 1e6;

int accel_gemm(int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
               const float *b, int ldb, float beta, float *c, int ldc)
{
    CBLAS_TRANSPOSE op_a = transpose_a ? CblasTrans : CblasNoTrans, op_b = transpose_b ? CblasTrans : CblasNoTrans;
    int parts = 1, i;
#ifdef _OPENMP
    openblas_set_num_threads(1);
    if ((double)m * n * k >= parallel_from) parts = omp_get_max_threads();
#endif
#pragma omp parallel for schedule(static) num_threads(parts) if (parts > 1)
    for (i = 0; i < parts; ++i) {
        int by_rows = m > n, all = by_rows ? m : n;
        int from = (int)((long)all * i / parts), size = (int)((long)all * (i + 1) / parts) - from;
        if (!size) continue;
        if (by_rows)
            cblas_sgemm(CblasRowMajor, op_a, op_b, size, n, k, alpha, a + (size_t)from * (transpose_a ? 1 : lda), lda,
                        b, ldb, beta, c + (size_t)from * ldc, ldc);
        else
            cblas_sgemm(CblasRowMajor, op_a, op_b, m, size, k, alpha, a, lda,
                        b + (size_t)from * (transpose_b ? ldb : 1), ldb, beta, c + from, ldc);
    }
    return 1;
}

#endif
