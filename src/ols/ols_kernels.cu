/* CUDA twins of the method. Every sum is taken in a fixed order (trees over a block, loops over the batch), so two runs
 * give the same bits on one device; nothing here waits for the device except the push and the pulls of the state. */
#include "ols/ols.h"

#include <cuda_runtime.h>
#include <math.h>

enum { WARP = 32, THREADS = 256, MOST_THREADS = 1024 };

#define RETURN_IF_FAILED(call)                                                                                         \
    do {                                                                                                               \
        cudaError_t status = (call);                                                                                   \
        if (status != cudaSuccess) return (int)status;                                                                 \
    } while (0)

/* ---- Reductions over a block of whole warps: every thread brings a value and gets the result --------------------- */

struct add {
    template <typename T> __device__ T operator()(T a, T b) const { return a + b; }
};

/* Passes over NaN, where `b` is the one that can be NaN; reductions start from numbers. */
struct larger {
    __device__ float operator()(float a, float b) const { return b > a ? b : a; }
};

template <typename T, typename Operator> static __device__ T block_reduce(T value, Operator combine)
{
    __shared__ T partial[MOST_THREADS / WARP];
    int i;
    for (i = WARP / 2; i > 0; i /= 2) value = combine(value, __shfl_xor_sync(0xffffffffu, value, i));
    __syncthreads(); /* the last reduction was read */
    if (threadIdx.x % WARP == 0) partial[threadIdx.x / WARP] = value;
    __syncthreads();
    value = partial[0];
    for (i = 1; i < (int)blockDim.x / WARP; ++i) value = combine(value, partial[i]);
    return value;
}

/* ---- One batch: a block per sample ------------------------------------------------------------------------------- */

/* About four entries of a row for each thread. */
static int threads_for(int classes)
{
    int threads = WARP;
    while (threads < MOST_THREADS && threads * 4 < classes) threads *= 2;
    return threads;
}

/* The class of a row of truth, or -1: the high half counts the entries that are not 0, the low half adds their places,
 * which can only carry over where there are several. */
static __device__ int one_hot(const float *row, int classes)
{
    unsigned long long found = 0;
    int k;
    for (k = threadIdx.x; k < classes; k += blockDim.x)
        if (row[k] != 0) found += (1ull << 32) + k;
    found = block_reduce(found, add());
    return found >> 32 == 1 ? (int)(found & 0xffffffffu) : -1;
}

static __global__ void __launch_bounds__(MOST_THREADS)
    softmax_cross_entropy_kernel(ols_mix mix, int classes, const float *logits, float inverse_temperature,
                                 const float *truth, float *probs, float *delta, float *loss, int *labels, int *hits)
{
    size_t at = (size_t)blockIdx.x * classes;
    const float *z = logits + at, *row;
    float *p = probs + at, top = -INFINITY, part = 0, inverse_sum, log_sum, mass = 1, hard = 0, soft = 1;
    double sum;
    int label, wrong, k;

    for (k = threadIdx.x; k < classes; k += blockDim.x) top = z[k] > top ? z[k] : top;
    top = block_reduce(top, larger());
    for (k = threadIdx.x; k < classes; k += blockDim.x) part += p[k] = expf((z[k] - top) * inverse_temperature);
    sum = block_reduce((double)part, add());
    inverse_sum = (float)(1 / sum);
    log_sum = (float)log(sum);
    row = truth + at;
    label = one_hot(row, classes);
    if (label >= 0) {
        row = mix.rows ? mix.rows + (size_t)label * classes : 0;
        hard = mix.hard;
        soft = mix.soft;
        mass = mix.hard + mix.soft * (mix.weight ? mix.weight[label] : 1);
    }
    wrong = label < 0 || !isfinite(sum);
    part = 0;
    for (k = threadIdx.x; k < classes; k += blockDim.x) {
        float e = p[k], prob = e * inverse_sum, q = soft * (row ? row[k] : mix.flat);
        /* The exponential of the largest is 1, and it is a hit when the first of those is the label's. */
        if (k <= label) wrong |= (e == 1) != (k == label);
        if (k == label) q += hard;
        p[k] = prob;
        delta[at + k] = q - mass * prob;
        /* 0 * inf would be NaN for a class that the target leaves out and the logits rule out */
        if (q != 0) part += q * (log_sum - (z[k] - top) * inverse_temperature);
    }
    wrong = __syncthreads_or(wrong);
    sum = block_reduce((double)part, add());
    if (threadIdx.x) return;
    loss[blockIdx.x] = (float)sum;
    labels[blockIdx.x] = label;
    hits[blockIdx.x] = wrong ? -1 : label;
}

int ols_softmax_cross_entropy_gpu(const ols_mix *mix, int classes, int batch, const float *logits, float temperature,
                                  const float *truth, float *probs, float *delta, float *loss, int *labels, int *hits)
{
    softmax_cross_entropy_kernel<<<batch, threads_for(classes)>>>(*mix, classes, logits, 1 / temperature, truth, probs,
                                                                  delta, loss, labels, hits);
    return (int)cudaPeekAtLastError();
}

/* ---- Statistics -------------------------------------------------------------------------------------------------- */

/* The block of a class's first hit takes all of its hits, in the order of the batch. The counts are integers, so the
 * order of the atomics does not show in the result. */
static __global__ void accumulate_kernel(int classes, int batch, const float *probs, const int *labels, const int *hits,
                                         float *sums, unsigned long long *correct, unsigned long long *seen,
                                         unsigned long long *unlabelled)
{
    int k = blockIdx.y * blockDim.x + threadIdx.x, hit = hits[blockIdx.x], label = labels[blockIdx.x], b;
    float *to = sums + (size_t)(hit < 0 ? 0 : hit) * classes + k, sum;
    if (k == 0) {
        atomicAdd(label < 0 ? unlabelled : seen + label, 1ull);
        if (hit >= 0) atomicAdd(correct + hit, 1ull);
    }
    if (hit < 0 || k >= classes) return;
    for (b = 0; b < (int)blockIdx.x; ++b)
        if (hits[b] == hit) return;
    sum = *to;
    for (; b < batch; ++b)
        if (hits[b] == hit) sum += probs[(size_t)b * classes + k];
    *to = sum;
}

int ols_accumulate_gpu(ols_state *state, int batch, const float *probs, const int *labels, const int *hits)
{
    int classes = state->classes, threads = classes < THREADS ? threads_for(4 * classes) : THREADS;
    dim3 blocks(batch, (classes + threads - 1) / threads);
    accumulate_kernel<<<blocks, threads>>>(
        classes, batch, probs, labels, hits, state->sums_gpu, (unsigned long long *)state->correct_gpu,
        (unsigned long long *)state->seen_gpu, (unsigned long long *)state->unlabelled_gpu);
    return (int)cudaPeekAtLastError();
}

/* ---- Update: a block per row ------------------------------------------------------------------------------------- */

static __global__ void update_kernel(ols_options options, int classes, float *soft, float *sums, float *weight,
                                     int64_t *correct, int64_t *seen, int64_t *unlabelled)
{
    int y = blockIdx.x, k;
    float *row = soft + (size_t)y * classes, *sum = sums + (size_t)y * classes;
    double total = 0;
    float largest = 0;
    int frozen;
    for (k = threadIdx.x; k < classes; k += THREADS) {
        total += sum[k];
        if (row[k] > largest) largest = row[k];
    }
    total = block_reduce(total, add());
    frozen = options.freeze > 0 && block_reduce(largest, larger()) >= options.freeze;
    for (k = threadIdx.x; k < classes; k += THREADS) {
        if (!frozen && total > 0) row[k] = (float)(sum[k] / total);
        if (!frozen && !(total > 0) && options.empty != OLS_ROW_KEEP)
            row[k] = options.empty == OLS_ROW_UNIFORM ? 1.f / classes : 0;
        sum[k] = 0;
    }
    if (threadIdx.x) return;
    if (!frozen && total > 0) weight[y] = 1;
    if (!frozen && !(total > 0) && options.empty != OLS_ROW_KEEP) weight[y] = options.empty == OLS_ROW_UNIFORM;
    correct[y] = seen[y] = 0;
    if (y == 0) *unlabelled = 0;
}

int ols_update_gpu(ols_state *state, const ols_options *options, int64_t epoch_images)
{
    ols_options now = *options;
    if (!state->updates) now.freeze = 0;
    update_kernel<<<state->classes, THREADS>>>(now, state->classes, state->soft_gpu, state->sums_gpu, state->weight_gpu,
                                               state->correct_gpu, state->seen_gpu, state->unlabelled_gpu);
    RETURN_IF_FAILED(cudaPeekAtLastError());
    state->images = !options->period && epoch_images > 0 ? state->images % epoch_images : 0;
    state->iterations = 0;
    ++state->updates;
    return 0;
}

/* ---- Host and device --------------------------------------------------------------------------------------------- */

/* The parts of a state that live in both places. */
enum { ALL_PARTS = 0, COUNTS = 3 };

/* Copies the parts from `first` on. */
static int copy_state(ols_state *state, cudaMemcpyKind kind, size_t first)
{
    size_t k = state->classes;
    struct {
        void *host, *device;
        size_t bytes;
    } parts[] = {
        {state->soft, state->soft_gpu, k * k * sizeof(float)},
        {state->sums, state->sums_gpu, k * k * sizeof(float)},
        {state->weight, state->weight_gpu, k * sizeof(float)},
        {state->correct, state->correct_gpu, k * sizeof(int64_t)},
        {state->seen, state->seen_gpu, k * sizeof(int64_t)},
        {&state->unlabelled, state->unlabelled_gpu, sizeof(int64_t)},
    };
    size_t i;
    for (i = first; i < sizeof parts / sizeof parts[0]; ++i) {
        int pull = kind == cudaMemcpyDeviceToHost;
        RETURN_IF_FAILED(cudaMemcpy(pull ? parts[i].host : parts[i].device, pull ? parts[i].device : parts[i].host,
                                    parts[i].bytes, kind));
    }
    return 0;
}

int ols_pull(ols_state *state)
{
    return copy_state(state, cudaMemcpyDeviceToHost, ALL_PARTS);
}

int ols_pull_counts(ols_state *state)
{
    return copy_state(state, cudaMemcpyDeviceToHost, COUNTS);
}

int ols_push(ols_state *state)
{
    return copy_state(state, cudaMemcpyHostToDevice, ALL_PARTS);
}

int ols_state_to_gpu(ols_state *state)
{
    size_t k = state->classes;
    RETURN_IF_FAILED(cudaMalloc((void **)&state->soft_gpu, k * k * sizeof(float)));
    RETURN_IF_FAILED(cudaMalloc((void **)&state->sums_gpu, k * k * sizeof(float)));
    RETURN_IF_FAILED(cudaMalloc((void **)&state->weight_gpu, k * sizeof(float)));
    RETURN_IF_FAILED(cudaMalloc((void **)&state->correct_gpu, k * sizeof(int64_t)));
    RETURN_IF_FAILED(cudaMalloc((void **)&state->seen_gpu, k * sizeof(int64_t)));
    RETURN_IF_FAILED(cudaMalloc((void **)&state->unlabelled_gpu, sizeof(int64_t)));
    return ols_push(state);
}

void ols_free_gpu(ols_state *state)
{
    if (!state->soft_gpu) return;
    cudaFree(state->soft_gpu);
    cudaFree(state->sums_gpu);
    cudaFree(state->weight_gpu);
    cudaFree(state->correct_gpu);
    cudaFree(state->seen_gpu);
    cudaFree(state->unlabelled_gpu);
}
