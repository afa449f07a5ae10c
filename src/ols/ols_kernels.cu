/* CUDA twins of the method. Every sum is taken in a fixed order (trees over a block, loops over the batch), so two runs
 * give the same bits on one device; nothing here waits for the device except the push, pull and update of the state. */
#include "ols.h"

#include <cuda_runtime.h>
#include <float.h>

enum { THREADS = 256 };

#define RETURN_IF_FAILED(call)                                                                                         \
    do {                                                                                                               \
        cudaError_t status = (call);                                                                                   \
        if (status != cudaSuccess) return (int)status;                                                                 \
    } while (0)

/* ---- Reductions over a block of THREADS threads ------------------------------------------------------------------ */

template <typename T> static __device__ T block_sum(T value)
{
    __shared__ T shared[THREADS];
    int t = threadIdx.x, half;
    __syncthreads(); /* the last reduction's reader is done */
    shared[t] = value;
    for (half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (t < half) shared[t] += shared[t + half];
    }
    __syncthreads();
    return shared[0];
}

/* Index of the largest value, the first at a tie; every thread brings its own best. */
static __device__ int block_argmax(float value, int index)
{
    __shared__ float values[THREADS];
    __shared__ int indexes[THREADS];
    int t = threadIdx.x, half;
    __syncthreads();
    values[t] = value;
    indexes[t] = index;
    for (half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (t < half) {
            float other = values[t + half];
            int at = indexes[t + half];
            if (other > values[t] || (other == values[t] && at < indexes[t])) {
                values[t] = other;
                indexes[t] = at;
            }
        }
    }
    __syncthreads();
    return indexes[0];
}

static __device__ int row_argmax(const float *row, int classes)
{
    float best = -FLT_MAX;
    int at = 0, k;
    for (k = threadIdx.x; k < classes; k += THREADS) {
        if (row[k] > best) {
            best = row[k];
            at = k;
        }
    }
    return block_argmax(best, at);
}

/* ---- One batch: a block per sample --------------------------------------------------------------------------------
 */

static __global__ void labels_kernel(int classes, const float *truth, int *labels)
{
    const float *row = truth + (size_t)blockIdx.x * classes;
    int ones = 0, where = 0, k;
    for (k = threadIdx.x; k < classes; k += THREADS) {
        if (row[k] != 0) {
            ++ones;
            where += k; /* the class itself where there is one, and unused otherwise */
        }
    }
    ones = block_sum(ones);
    where = block_sum(where);
    if (threadIdx.x == 0) labels[blockIdx.x] = ones == 1 ? where : -1;
}

int ols_labels_gpu(int classes, int batch, const float *truth, int *labels)
{
    labels_kernel<<<batch, THREADS>>>(classes, truth, labels);
    return (int)cudaPeekAtLastError();
}

static __global__ void cross_entropy_kernel(ols_mix mix, int classes, const float *logits, float temperature,
                                            const float *probs, const float *truth, const int *labels, float *delta,
                                            float *loss)
{
    size_t at = (size_t)blockIdx.x * classes;
    int label = labels[blockIdx.x], top = row_argmax(probs + at, classes), k;
    double lse = (double)logits[at + top] / temperature - log((double)probs[at + top]);
    double sum = 0;
    const float *row = label >= 0 && mix.rows ? mix.rows + (size_t)label * classes : 0;
    float mass = label < 0 ? 1 : mix.hard + mix.soft * (mix.weight ? mix.weight[label] : 1);
    for (k = threadIdx.x; k < classes; k += THREADS) {
        float q;
        if (label < 0) {
            q = truth[at + k];
        } else {
            q = mix.soft * (row ? row[k] : mix.flat);
            if (k == label) q += mix.hard;
        }
        if (q != 0) sum += q * (lse - (double)logits[at + k] / temperature);
        delta[at + k] = q - mass * probs[at + k];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) loss[blockIdx.x] = (float)sum;
}

int ols_cross_entropy_gpu(const ols_mix *mix, int classes, int batch, const float *logits, float temperature,
                          const float *probs, const float *truth, const int *labels, float *delta, float *loss)
{
    cross_entropy_kernel<<<batch, THREADS>>>(*mix, classes, logits, temperature, probs, truth, labels, delta, loss);
    return (int)cudaPeekAtLastError();
}

/* ---- Statistics ----------------------------------------------------------------------------------------------------
 */

/* Which samples were right, and the counts: integers, so the order of the atomics does not show in the result. */
static __global__ void correct_kernel(int classes, const float *probs, const int *labels, char *hit,
                                      unsigned long long *correct, unsigned long long *seen,
                                      unsigned long long *unlabelled)
{
    const float *p = probs + (size_t)blockIdx.x * classes;
    int label = labels[blockIdx.x], top = row_argmax(p, classes), bad = 0, right, k;
    for (k = threadIdx.x; k < classes; k += THREADS) bad += !isfinite(p[k]);
    bad = block_sum(bad);
    if (threadIdx.x) return;
    right = label >= 0 && top == label && !bad;
    hit[blockIdx.x] = (char)right;
    atomicAdd(label < 0 ? unlabelled : seen + label, 1ull);
    if (right) atomicAdd(correct + label, 1ull);
}

/* A thread per class k walks the batch in order, so every sum has one order. */
static __global__ void accumulate_kernel(int classes, int batch, const float *probs, const int *labels, const char *hit,
                                         float *sums)
{
    int k = blockIdx.x * blockDim.x + threadIdx.x, b;
    if (k >= classes) return;
    for (b = 0; b < batch; ++b)
        if (hit[b]) sums[(size_t)labels[b] * classes + k] += probs[(size_t)b * classes + k];
}

int ols_accumulate_gpu(ols_state *state, int batch, const float *probs, const int *labels)
{
    int classes = state->classes;
    if (batch > state->hit_size) { /* the first batch, or a larger one */
        cudaFree(state->hit_gpu);
        state->hit_gpu = 0;
        state->hit_size = 0;
        RETURN_IF_FAILED(cudaMalloc((void **)&state->hit_gpu, batch));
        state->hit_size = batch;
    }
    correct_kernel<<<batch, THREADS>>>(classes, probs, labels, state->hit_gpu, (unsigned long long *)state->correct_gpu,
                                       (unsigned long long *)state->seen_gpu,
                                       (unsigned long long *)state->unlabelled_gpu);
    accumulate_kernel<<<(classes + THREADS - 1) / THREADS, THREADS>>>(classes, batch, probs, labels, state->hit_gpu,
                                                                      state->sums_gpu);
    return (int)cudaPeekAtLastError();
}

/* ---- Update: a block per row ---------------------------------------------------------------------------------------
 */

static __global__ void update_kernel(ols_options options, int classes, float *soft, float *sums, float *weight,
                                     int64_t *correct, int64_t *seen, int64_t *unlabelled)
{
    int y = blockIdx.x, k;
    float *row = soft + (size_t)y * classes, *sum = sums + (size_t)y * classes;
    double total = 0;
    int frozen;
    for (k = threadIdx.x; k < classes; k += THREADS) total += sum[k];
    total = block_sum(total);
    frozen = options.freeze > 0 && row[row_argmax(row, classes)] >= options.freeze;
    __syncthreads(); /* the row is read above by all and written below */
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

/* ---- Host and device -----------------------------------------------------------------------------------------------
 */

/* The parts of a state that live in both places. */
static int copy_state(ols_state *state, cudaMemcpyKind kind)
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
    for (i = 0; i < sizeof parts / sizeof parts[0]; ++i) {
        int pull = kind == cudaMemcpyDeviceToHost;
        RETURN_IF_FAILED(cudaMemcpy(pull ? parts[i].host : parts[i].device, pull ? parts[i].device : parts[i].host,
                                    parts[i].bytes, kind));
    }
    return 0;
}

int ols_pull(ols_state *state)
{
    return copy_state(state, cudaMemcpyDeviceToHost);
}

int ols_push(ols_state *state)
{
    return copy_state(state, cudaMemcpyHostToDevice);
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
    cudaFree(state->hit_gpu);
}
