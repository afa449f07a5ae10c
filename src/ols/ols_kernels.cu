/* CUDA twins of the functions in loss.c and state.c. Floats are summed in a fixed order (trees within a block, loops
 * over the batch), so two runs on one device give the same bits. Only copies of the state wait for the device. */
#include "ols/ols.h"
#include "ols/state_parts.h"
#include "ols/terms.h"

#include <cuda_runtime.h>
#include <math.h>

enum { WARP = 32, THREADS = 256, MOST_THREADS = 1024 };

#define RETURN_IF_FAILED(call)                                                                                         \
    do {                                                                                                               \
        cudaError_t status = (call);                                                                                   \
        if (status != cudaSuccess) return (int)status;                                                                 \
    } while (0)

/* ---- Reductions over a block of whole warps: every thread passes a value and gets the result --------------------- */

struct add {
    template <typename T> __device__ T operator()(T a, T b) const { return a + b; }
};

/* The larger value. The threads pass no NaN: their loops over the entries have ignored it. */
struct larger {
    __device__ float operator()(float a, float b) const { return b > a ? b : a; }
};

struct smaller {
    __device__ int operator()(int a, int b) const { return b < a ? b : a; }
};

template <typename T, typename Operator> static __device__ T block_reduce(T value, Operator combine)
{
    __shared__ T partial[MOST_THREADS / WARP];
    int i;
    for (i = WARP / 2; i > 0; i /= 2) value = combine(value, __shfl_xor_sync(0xffffffffu, value, i));
    __syncthreads(); /* all threads have read the result of the last reduction */
    if (threadIdx.x % WARP == 0) partial[threadIdx.x / WARP] = value;
    __syncthreads();
    value = partial[0];
    for (i = 1; i < (int)blockDim.x / WARP; ++i) value = combine(value, partial[i]);
    return value;
}

/* ---- One batch: one block per sample ----------------------------------------------------------------------------- */

/* Threads per block: each handles about four entries of a row. */
static int threads_for(int classes)
{
    int threads = WARP;
    while (threads < MOST_THREADS && threads * 4 < classes) threads *= 2;
    return threads;
}

/* The classes that a row of truth says, and their shares, as in loss.c; a class that there is not is -1. */
struct truth_classes {
    int first, second;
    float first_share, second_share;
};

/* In the sum, the high 32 bits count the entries that are not 0, and the low 32 bits add their indices. The low bits
 * can carry into the high bits only if there are more than two entries, which are no class anyway. */
static __device__ truth_classes classes_of(const float *row, int classes)
{
    truth_classes t = {-1, -1, 1, 0};
    unsigned long long found = 0, count;
    int first = classes, k;
    float sum;
    for (k = threadIdx.x; k < classes; k += blockDim.x) {
        if (row[k] == 0) continue;
        found += (1ull << 32) + k;
        first = k < first ? k : first;
    }
    found = block_reduce(found, add());
    count = found >> 32;
    if (count == 1) t.first = (int)(found & 0xffffffffu);
    if (count != 2) return t;
    first = block_reduce(first, smaller());
    k = (int)(found & 0xffffffffu) - first;
    sum = row[first] + row[k];
    if (!(row[first] > 0 && row[k] > 0 && fabsf(sum - 1) <= OLS_SHARE_ERROR)) return t;
    t.first = first;
    t.second = k;
    t.first_share = row[first];
    t.second_share = 1 - row[first];
    return t;
}

/* The sum of the target of class y. */
static __device__ float target_sum_of(const ols_target_spec *spec, int y)
{
    return spec->hard_weight + spec->soft_weight * (spec->row_sum ? spec->row_sum[y] : 1);
}

/* ---- Terms of methods --------------------------------------------------------------------------------------------
 *
 * Twins of those of loss.c. All threads of a block call them; each adds to its own entries of delta, and returns its
 * part of the term. */

/* A sample, as the kernel has it. */
struct sample {
    truth_classes t;
    const float *z, *p; /* logits and probabilities */
    float *delta;
    float top, inverse_temperature, log_sum;
    int classes;
};

static __device__ float log_of(const sample *s, int k)
{
    return (s->z[k] - s->top) * s->inverse_temperature - s->log_sum;
}

/* The share of class k in the sample. */
static __device__ float share_of(const truth_classes *t, int k)
{
    return k == t->first ? t->first_share : k == t->second ? t->second_share : 0;
}

static __device__ float entropy_term(float weight, const sample *s)
{
    float part = 0, entropy;
    int k;
    for (k = threadIdx.x; k < s->classes; k += blockDim.x)
        if (s->p[k] > 0) part -= s->p[k] * log_of(s, k);
    entropy = (float)block_reduce((double)part, add());
    for (k = threadIdx.x; k < s->classes; k += blockDim.x)
        if (s->p[k] > 0) s->delta[k] += weight * s->p[k] * (log_of(s, k) + entropy);
    return weight * part;
}

static __device__ float predicted_term(float weight, const sample *s)
{
    float top = -INFINITY;
    int c = s->classes, k;
    for (k = threadIdx.x; k < s->classes; k += blockDim.x) top = s->p[k] > top ? s->p[k] : top;
    top = block_reduce(top, larger());
    for (k = threadIdx.x; k < s->classes; k += blockDim.x)
        if (s->p[k] == top && k < c) c = k;
    c = block_reduce(c, smaller());
    for (k = threadIdx.x; k < s->classes; k += blockDim.x) s->delta[k] += weight * ((k == c) - s->p[k]);
    return threadIdx.x || c == s->classes ? 0 : -weight * log_of(s, c);
}

/* Of one class with this share. */
static __device__ float label_term(const ols_target_spec *spec, const sample *s, int label, float share)
{
    float slope;
    const float term = ols_label_term(spec, log_of(s, label), &slope);
    int k;
    for (k = threadIdx.x; k < s->classes; k += blockDim.x) s->delta[k] += share * slope * ((k == label) - s->p[k]);
    return threadIdx.x ? 0 : share * term;
}

static __device__ float teacher_term(const ols_target_spec *spec, const sample *s)
{
    const float power = spec->exponent, scale = spec->term_weight * power;
    const float at_label = spec->teacher[0] - spec->teacher[1];
    float part = 0, weighed = 0;
    double sum, inverse;
    int k;
    for (k = threadIdx.x; k < s->classes; k += blockDim.x) {
        const float z = power * log_of(s, k), u = spec->teacher[1] + share_of(&s->t, k) * at_label;
        part += expf(z);
        if (u != 0) weighed += u * z;
    }
    sum = block_reduce((double)part, add());
    inverse = 1 / sum;
    for (k = threadIdx.x; k < s->classes; k += blockDim.x) {
        const float u = spec->teacher[1] + share_of(&s->t, k) * at_label;
        s->delta[k] += scale * (u - (float)(expf(power * log_of(s, k)) * inverse));
    }
    return spec->term_weight * ((threadIdx.x ? 0 : (float)log(sum)) - weighed);
}

static __device__ float add_term(const ols_target_spec *spec, const sample *s)
{
    switch (spec->term) {
    case OLS_NO_TERM:
        break;
    case OLS_ENTROPY:
        return entropy_term(spec->term_weight, s);
    case OLS_PREDICTED:
        return predicted_term(spec->term_weight, s);
    case OLS_REVERSE:
    case OLS_POWER: {
        float part = label_term(spec, s, s->t.first, s->t.first_share);
        if (s->t.second >= 0) part += label_term(spec, s, s->t.second, s->t.second_share);
        return part;
    }
    case OLS_TEACHER:
        return teacher_term(spec, s);
    }
    return 0;
}

/* Draws the classes of the target, as in loss.c. */
static __device__ void disturb(const ols_target_spec *spec, int classes, truth_classes *t)
{
    if (t->first >= 0) t->first = ols_class_drawn(spec, classes, t->first, 2 * (uint64_t)blockIdx.x);
    if (t->second < 0) return;
    t->second = ols_class_drawn(spec, classes, t->second, 2 * (uint64_t)blockIdx.x + 1);
    if (t->first != t->second) return;
    t->second = -1;
    t->first_share = 1;
    t->second_share = 0;
}

/* `is_linear`: the spec has no term and no disturbance, and the kernel needs no registers for them. */
template <bool is_linear>
static __global__ void __launch_bounds__(MOST_THREADS)
    softmax_cross_entropy_kernel(ols_target_spec spec, int classes, const float *logits, float inverse_temperature,
                                 const float *truth, float *probs, float *delta, float *loss, int *labels, int *hits)
{
    size_t at = (size_t)blockIdx.x * classes;
    const float *z = logits + at, *row = truth + at, *other = 0;
    float *p = probs + at, top = -INFINITY, part = 0, inverse_sum, log_sum;
    float target_sum = 1, hard_weight = 0, soft_weight = 1;
    double sum;
    truth_classes t = classes_of(row, classes);
    const int label = t.second_share > t.first_share ? t.second : t.first;
    int wrong, k;

    if (!is_linear && spec.disturb > 0) disturb(&spec, classes, &t);
    for (k = threadIdx.x; k < classes; k += blockDim.x) top = z[k] > top ? z[k] : top;
    top = block_reduce(top, larger());
    for (k = threadIdx.x; k < classes; k += blockDim.x) part += p[k] = expf((z[k] - top) * inverse_temperature);
    sum = block_reduce((double)part, add());
    inverse_sum = (float)(1 / sum);
    log_sum = (float)log(sum);
    if (t.first >= 0) {
        row = spec.S ? spec.S + (size_t)t.first * classes : 0;
        hard_weight = spec.hard_weight;
        soft_weight = spec.soft_weight;
        target_sum = t.first_share * target_sum_of(&spec, t.first);
    }
    if (t.second >= 0) {
        other = spec.S ? spec.S + (size_t)t.second * classes : 0;
        target_sum += t.second_share * target_sum_of(&spec, t.second);
    }
    wrong = label < 0 || !isfinite(sum);
    part = 0;
    for (k = threadIdx.x; k < classes; k += blockDim.x) {
        float e = p[k], prob = e * inverse_sum, soft = row ? row[k] : spec.uniform, q;
        if (other) soft = t.first_share * soft + t.second_share * other[k];
        q = soft_weight * soft;
        /* The largest logits have the exponential 1. The sample is a hit if the first of them is that of the label. */
        if (k <= label) wrong |= (e == 1) != (k == label);
        if (k == t.first) q += t.first_share * hard_weight;
        if (k == t.second) q += t.second_share * hard_weight;
        p[k] = prob;
        delta[at + k] = q - target_sum * prob;
        /* with q = 0 and a logit of -infinity, the product would be NaN */
        if (q != 0) part += q * (log_sum - (z[k] - top) * inverse_temperature);
    }
    wrong = __syncthreads_or(wrong);
    if (!is_linear && t.first >= 0 && spec.term) {
        const sample s = {t, z, p, delta + at, top, inverse_temperature, log_sum, classes};
        part += isfinite(sum) ? add_term(&spec, &s) : NAN;
    }
    sum = block_reduce((double)part, add());
    if (threadIdx.x) return;
    loss[blockIdx.x] = (float)sum;
    labels[blockIdx.x] = label;
    hits[blockIdx.x] = wrong ? -1 : label;
}

/* One block per pair of samples, as in loss.c. */
static __global__ void __launch_bounds__(MOST_THREADS)
    confuse_kernel(float weight, int classes, int half, const float *probs, const int *labels, float *delta,
                   float *loss)
{
    const int b = blockIdx.x, other = b + half;
    const size_t at = (size_t)b * classes, other_at = (size_t)other * classes;
    const float *p = probs + at, *q = probs + other_at;
    double distance = 0, along = 0, along_other = 0;
    int k;
    if (labels[b] < 0 || labels[other] < 0 || labels[b] == labels[other]) return;
    for (k = threadIdx.x; k < classes; k += blockDim.x) {
        const double g = 2. * (p[k] - q[k]);
        distance += g * g / 4;
        along += g * p[k];
        along_other += g * q[k];
    }
    distance = block_reduce(distance, add());
    along = block_reduce(along, add());
    along_other = block_reduce(along_other, add());
    for (k = threadIdx.x; k < classes; k += blockDim.x) {
        const float g = 2 * (p[k] - q[k]);
        delta[at + k] -= weight * p[k] * (g - (float)along);
        delta[other_at + k] += weight * q[k] * (g - (float)along_other);
    }
    if (threadIdx.x) return;
    loss[b] += (float)(weight / 2 * distance);
    loss[other] += (float)(weight / 2 * distance);
}

int ols_softmax_cross_entropy_gpu(const ols_target_spec *spec, int classes, int batch, const float *logits,
                                  float temperature, const float *truth, float *probs, float *delta, float *loss,
                                  int *labels, int *hits)
{
    const int is_linear = !spec->term && !(spec->disturb > 0), threads = threads_for(classes);
    (is_linear ? softmax_cross_entropy_kernel<true> : softmax_cross_entropy_kernel<false>)<<<batch, threads>>>(
        *spec, classes, logits, 1 / temperature, truth, probs, delta, loss, labels, hits);
    RETURN_IF_FAILED(cudaPeekAtLastError());
    if (spec->pair_weight > 0 && batch > 1)
        confuse_kernel<<<batch / 2, threads>>>(spec->pair_weight, classes, batch / 2, probs, labels, delta, loss);
    return (int)cudaPeekAtLastError();
}

/* ---- Statistics -------------------------------------------------------------------------------------------------- */

/* Whether a sample before this one is a hit of its class, too. */
static __device__ int is_later_hit(const int *hits, int sample)
{
    int b;
    for (b = 0; b < sample; ++b)
        if (hits[b] == hits[sample]) return 1;
    return 0;
}

/* One block per sample and part of the classes. The block of the first hit of a class goes through all hits of that
 * class, in the order of the batch, and keeps the prediction to which A falls. Reads the counts of before the batch:
 * accumulate_kernel changes them afterwards. */
static __global__ void choose_kernel(int classes, int batch, const float *probs, const int *hits, float *A,
                                     const int64_t *correct, uint64_t seed, int64_t updates)
{
    const int k = blockIdx.y * blockDim.x + threadIdx.x, hit = hits[blockIdx.x];
    int b, chosen = -1;
    int64_t count;
    if (hit < 0 || k >= classes || is_later_hit(hits, blockIdx.x)) return;
    count = correct[hit];
    for (b = blockIdx.x; b < batch; ++b)
        if (hits[b] == hit && ols_takes_over(seed, updates, hit, ++count)) chosen = b;
    if (chosen >= 0) A[(size_t)hit * classes + k] = probs[(size_t)chosen * classes + k];
}

/* One block per sample and part of the classes. The block of the first hit of a class adds all hits of that class, in
 * the order of the batch; the blocks of its later hits add nothing. Counts are integers, so atomics in any order give
 * the same result. Without A it only counts. */
static __global__ void accumulate_kernel(int classes, int batch, const float *probs, const int *labels, const int *hits,
                                         float *A, unsigned long long *correct, unsigned long long *seen,
                                         unsigned long long *unlabelled)
{
    int k = blockIdx.y * blockDim.x + threadIdx.x, hit = hits[blockIdx.x], label = labels[blockIdx.x], b;
    float *to, sum;
    if (k == 0) {
        atomicAdd(label < 0 ? unlabelled : seen + label, 1ull);
        if (hit >= 0) atomicAdd(correct + hit, 1ull);
    }
    if (hit < 0 || k >= classes || !A || is_later_hit(hits, blockIdx.x)) return;
    to = A + (size_t)hit * classes + k;
    sum = *to;
    for (b = blockIdx.x; b < batch; ++b)
        if (hits[b] == hit) sum += probs[(size_t)b * classes + k];
    *to = sum;
}

int ols_accumulate_gpu(ols_state *state, int batch, const float *probs, const int *labels, const int *hits)
{
    int classes = state->classes, threads = classes < THREADS ? threads_for(4 * classes) : THREADS;
    dim3 blocks(batch, (classes + threads - 1) / threads);
    if (state->single)
        choose_kernel<<<blocks, threads>>>(classes, batch, probs, hits, state->A_gpu, state->correct_gpu, state->seed,
                                           state->updates);
    accumulate_kernel<<<blocks, threads>>>(
        classes, batch, probs, labels, hits, state->single ? 0 : state->A_gpu, (unsigned long long *)state->correct_gpu,
        (unsigned long long *)state->seen_gpu, (unsigned long long *)state->unlabelled_gpu);
    return (int)cudaPeekAtLastError();
}

/* ---- Update: one block per row ----------------------------------------------------------------------------------- */

/* All threads of a block call it. */
static __device__ void sharpen(float *A, int classes, double total, float temperature)
{
    const float power = 1 / temperature;
    float top = 0;
    double sum = 0;
    int k;
    for (k = threadIdx.x; k < classes; k += THREADS) top = A[k] > top ? A[k] : top;
    top = block_reduce(top, larger());
    for (k = threadIdx.x; k < classes; k += THREADS) sum += A[k] = powf(A[k] / top, power);
    sum = block_reduce(sum, add());
    for (k = threadIdx.x; k < classes; k += THREADS) A[k] = (float)(A[k] * (total / sum));
}

static __global__ void update_kernel(ols_options options, int single, int classes, float *S, float *A, float *row_sum,
                                     int64_t *correct, int64_t *seen, int64_t *unlabelled)
{
    int y = blockIdx.x, k;
    float *row = S + (size_t)y * classes, *sum = A + (size_t)y * classes;
    const double decay = row_sum[y] > 0 ? options.decay : 0;
    double total = 0, divisor, new_sum = 0;
    float largest = 0;
    int frozen, empty, learned, reset;
    for (k = threadIdx.x; k < classes; k += THREADS) {
        total += sum[k];
        if (row[k] > largest) largest = row[k];
    }
    total = block_reduce(total, add());
    frozen = options.freeze > 0 && block_reduce(largest, larger()) >= options.freeze;
    divisor = options.normalise == OLS_BY_HITS ? single ? correct[y] > 0 : (double)correct[y] : total;
    empty = !(total > 0 && divisor > 0);
    learned = !empty && !frozen;
    reset = empty && options.empty != OLS_ROW_KEEP;
    if (learned && options.soft_temperature != 1) sharpen(sum, classes, total, options.soft_temperature);
    for (k = threadIdx.x; k < classes; k += THREADS) {
        if (learned) {
            const double share = sum[k] / divisor;
            row[k] = (float)(decay * row[k] + (1 - decay) * (share < 1 ? share : 1));
            new_sum += row[k];
        }
        if (reset) row[k] = options.empty == OLS_ROW_UNIFORM ? 1.f / classes : 0;
        sum[k] = 0;
    }
    new_sum = block_reduce(new_sum, add()); /* after it, all threads have read correct[y] */
    if (threadIdx.x) return;
    if (learned) row_sum[y] = OLS_ROW_SUM(new_sum);
    if (reset) row_sum[y] = options.empty == OLS_ROW_UNIFORM;
    correct[y] = seen[y] = 0;
    if (y == 0) *unlabelled = 0;
}

int ols_update_gpu(ols_state *state, const ols_options *options, int64_t epoch_images)
{
    ols_options now = *options;
    if (!state->updates) now.freeze = now.decay = 0;
    update_kernel<<<state->classes, THREADS>>>(now, state->single, state->classes, state->S_gpu, state->A_gpu,
                                               state->row_sum_gpu, state->correct_gpu, state->seen_gpu,
                                               state->unlabelled_gpu);
    RETURN_IF_FAILED(cudaPeekAtLastError());
    state->images = !options->period && epoch_images > 0 ? state->images % epoch_images : 0;
    state->iterations = 0;
    ++state->updates;
    return 0;
}

/* ---- Host and device --------------------------------------------------------------------------------------------- */

/* Copies all arrays between host and device, or only the counts. */
static int copy_state(ols_state *state, cudaMemcpyKind kind, int only_counts)
{
    const int pull = kind == cudaMemcpyDeviceToHost;
    int i;
    if (!state->S_gpu) return 0;
    for (i = 0; i < OLS_PARTS; ++i) {
        void *host = ols_get_pointer(state, ols_parts[i].host), *device = ols_get_pointer(state, ols_parts[i].device);
        if (only_counts && !ols_parts[i].counts) continue;
        RETURN_IF_FAILED(cudaMemcpy(pull ? host : device, pull ? device : host,
                                    ols_part_bytes(ols_parts + i, state->classes), kind));
    }
    RETURN_IF_FAILED(cudaMemcpy(pull ? &state->unlabelled : state->unlabelled_gpu,
                                pull ? state->unlabelled_gpu : &state->unlabelled, sizeof(int64_t), kind));
    return 0;
}

int ols_pull(ols_state *state)
{
    return copy_state(state, cudaMemcpyDeviceToHost, 0);
}

int ols_pull_counts(ols_state *state)
{
    return copy_state(state, cudaMemcpyDeviceToHost, 1);
}

int ols_push(ols_state *state)
{
    return copy_state(state, cudaMemcpyHostToDevice, 0);
}

int ols_state_to_gpu(ols_state *state)
{
    int i;
    for (i = 0; i < OLS_PARTS; ++i) {
        void *device = 0;
        RETURN_IF_FAILED(cudaMalloc(&device, ols_part_bytes(ols_parts + i, state->classes)));
        ols_set_pointer(state, ols_parts[i].device, device);
    }
    RETURN_IF_FAILED(cudaMalloc((void **)&state->unlabelled_gpu, sizeof(int64_t)));
    return ols_push(state);
}

void ols_free_gpu(ols_state *state)
{
    int i;
    if (!state->S_gpu) return;
    for (i = 0; i < OLS_PARTS; ++i) cudaFree(ols_get_pointer(state, ols_parts[i].device));
    cudaFree(state->unlabelled_gpu);
}
