/* Matrix products with OpenBLAS: for [connected] and recurrent layers, and convolutions that oneDNN does not do.
 *
 * A large product is split by rows or columns of C into one part per OpenMP thread, and each thread calls OpenBLAS for
 * its part. OpenBLAS' own threads are not used: they wait for the next product in a busy loop, and so take CPU time
 * from the OpenMP threads that run everything else.
 */
#include "accel/cpu/accel_cpu.h"

#ifdef OPENBLAS

#if __has_include(<cblas-openblas.h>)
#include <cblas-openblas.h> /* Debian's name; <cblas.h> may belong to another library */
#else
#include <cblas.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

int accel_gemm(int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
               const float *b, int ldb, float beta, float *c, int ldc)
{
    CBLAS_TRANSPOSE op_a = transpose_a ? CblasTrans : CblasNoTrans, op_b = transpose_b ? CblasTrans : CblasNoTrans;
    int parts = 1, i;
#ifdef _OPENMP
    /* Multiplications; for fewer, starting a second thread costs more time than it saves. */
    const double parallel_from = 1e6;
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
