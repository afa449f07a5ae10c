/* Compares every CUDA function of ols.h with its CPU version on the same inputs. Labels and counts must be equal,
 * floats within 1e-5 of the values they are computed from, and two runs on one device must give the same bits.
 *
 * In a CPU build, and without a GPU, every test is reported as skipped.
 */
#include "ols/ols.h"
#include "helpers/ols_batch.h"
#include "helpers/test_gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef GPU

/* ---- Arrays in both places -------------------------------------------------------------------------------------- */

static void *upload(const void *host, size_t bytes)
{
    void *device = 0;
    assert_cuda(cudaMalloc(&device, bytes));
    assert_cuda(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice));
    return device;
}

/* Copies an array from the device and frees it there. */
static void download(void *host, void *device, size_t bytes)
{
    assert_cuda(cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost));
    assert_cuda(cudaFree(device));
}

/* Random logits. Of every five samples three are predicted correctly, one is random, and one has no class (no entry, or
 * two that do not sum to 1). Every seventh is a mixture of two classes, the first with the share .4, .5 or .6. */
static ols_batch new_batch(int classes, int batch, uint64_t seed)
{
    size_t n = (size_t)classes * batch, i;
    ols_batch x = empty_batch(classes, batch);
    int b;
    for (i = 0; i < n; ++i) x.logits[i] = (float)(6 * noise(&seed) - 3);
    for (b = 0; b < batch; ++b) {
        size_t at = (size_t)b * classes;
        int label = (int)(noise(&seed) * classes);
        if (b % 5 != 4 || b % 2) x.truth[at + label] = 1;
        if (b % 5 == 4 && b % 2) x.truth[at + (label + 1) % classes] = .5f;
        if (b % 7 == 3) {
            const float share = .4f + .1f * (b / 7 % 3);
            memset(x.truth + at, 0, classes * sizeof(float));
            x.truth[at + label] = share;
            x.truth[at + (label + 1 + b) % classes] += 1 - share;
        }
        if (b % 5 < 3) x.logits[at + label] = 4;
    }
    return x;
}

enum { DRAWS = 77 }; /* of methods that draw labels */

/* Probabilities, labels, loss, delta and statistics of a batch, on the CPU. */
static void cpu_step(ols_batch x, const ols_options *options, ols_state *state, float temperature)
{
    ols_target_spec spec = ols_make_target_spec(options, state, x.classes);
    spec.draws = DRAWS;
    ols_softmax_cross_entropy(&spec, x.classes, x.batch, x.logits, temperature, x.truth, x.probs, x.delta, x.loss,
                              x.labels, x.hits);
    if (state) ols_accumulate(state, x.batch, x.probs, x.labels, x.hits);
}

/* The same on the GPU. Results are copied to the host's arrays; the state stays on the device. */
static void gpu_step(ols_batch x, const ols_options *options, ols_state *state, float temperature)
{
    size_t n = (size_t)x.classes * x.batch * sizeof(float);
    ols_target_spec spec = ols_make_target_spec_gpu(options, state, x.classes);
    float *logits = (float *)upload(x.logits, n), *probs = (float *)upload(x.probs, n);
    float *truth = (float *)upload(x.truth, n), *delta = (float *)upload(x.delta, n);
    float *loss = (float *)upload(x.loss, x.batch * sizeof(float));
    int *labels = (int *)upload(x.labels, x.batch * sizeof(int)), *hits = (int *)upload(x.hits, x.batch * sizeof(int));
    spec.draws = DRAWS;
    assert_cuda(ols_softmax_cross_entropy_gpu(&spec, x.classes, x.batch, logits, temperature, truth, probs, delta, loss,
                                              labels, hits));
    if (state) assert_cuda(ols_accumulate_gpu(state, x.batch, probs, labels, hits));
    assert_cuda(cudaDeviceSynchronize());
    download(x.probs, probs, n);
    download(x.delta, delta, n);
    download(x.loss, loss, x.batch * sizeof(float));
    download(x.labels, labels, x.batch * sizeof(int));
    download(x.hits, hits, x.batch * sizeof(int));
    assert_cuda(cudaFree(logits));
    assert_cuda(cudaFree(truth));
}

/* ---- Comparing -------------------------------------------------------------------------------------------------- */

static void assert_same_labels(ols_batch gpu, ols_batch cpu)
{
    assert_memory_equal(gpu.labels, cpu.labels, cpu.batch * sizeof(int));
    assert_memory_equal(gpu.hits, cpu.hits, cpu.batch * sizeof(int));
}

/* The tolerances: exp of a difference of 10 is accurate to 1e-6, a sum of such values and its log to 3e-7. delta = q -
 * m p is as accurate as the larger of the two terms, which is at most |delta| + 2 p. */
static void assert_same_training(ols_batch gpu, ols_batch cpu)
{
    size_t n = (size_t)cpu.classes * cpu.batch, i;
    for (i = 0; i < n; ++i) {
        assert_close(gpu.probs[i], cpu.probs[i], 2e-6 * cpu.probs[i]);
        assert_close(gpu.delta[i], cpu.delta[i], 2e-6 * (fabsf(cpu.delta[i]) + 2 * cpu.probs[i]));
    }
    for (i = 0; i < (size_t)cpu.batch; ++i) assert_close(gpu.loss[i], cpu.loss[i], 1e-5 * fabsf(cpu.loss[i]) + 3e-7);
}

/* `gpu` must have been copied to the host (pulled) before. */
static void assert_same_state(const ols_state *gpu, const ols_state *cpu)
{
    size_t k = cpu->classes, i;
    for (i = 0; i < k * k; ++i) {
        assert_close(gpu->S[i], cpu->S[i], 1e-5 * cpu->S[i]);
        assert_close(gpu->A[i], cpu->A[i], 1e-5 * cpu->A[i]);
    }
    for (i = 0; i < k; ++i) assert_close(gpu->row_sum[i], cpu->row_sum[i], 1e-6 * cpu->row_sum[i]);
    assert_memory_equal(gpu->correct, cpu->correct, k * sizeof(int64_t));
    assert_memory_equal(gpu->seen, cpu->seen, k * sizeof(int64_t));
    assert_int_equal(gpu->unlabelled, cpu->unlabelled);
    assert_int_equal(gpu->images, cpu->images);
    assert_int_equal(gpu->iterations, cpu->iterations);
    assert_int_equal(gpu->updates, cpu->updates);
}

static void assert_identical_state(const ols_state *a, const ols_state *b)
{
    size_t k = a->classes;
    assert_memory_equal(a->S, b->S, k * k * sizeof(float));
    assert_memory_equal(a->A, b->A, k * k * sizeof(float));
    assert_same_state(a, b);
}

/* A state with random distributions as rows and some predictions counted. */
static ols_state *random_state(int classes, uint64_t seed)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(classes, &options);
    int y, k;
    assert_non_null(state);
    for (y = 0; y < classes; ++y) {
        size_t at = (size_t)y * classes;
        double sum = 0;
        for (k = 0; k < classes; ++k) sum += state->S[at + k] = (float)(noise(&seed) + .01);
        for (k = 0; k < classes; ++k) state->S[at + k] = (float)(state->S[at + k] / sum);
        for (k = 0; y % 3 && k < classes; ++k) state->A[at + k] = (float)noise(&seed);
        state->correct[y] = y % 3 ? 5 : 0;
        state->seen[y] = 7 + y;
    }
    state->images = 130;
    state->iterations = 13;
    state->updates = 2;
    state->unlabelled = 3;
    return state;
}

static ols_state *random_state_on_gpu(int classes, uint64_t seed)
{
    ols_state *state = random_state(classes, seed);
    assert_cuda(ols_state_to_gpu(state));
    return state;
}

/* ---- The tests -------------------------------------------------------------------------------------------------- */

/* Fewer and more classes than a warp and than a block have threads, and many more. */
static const int class_counts[] = {2, 10, 100, 1000, 4097};

static const ols_smoothing methods[] = {OLS_HARD,    OLS_LS,  OLS_OLS, OLS_SINGLE, OLS_BOOTSOFT, OLS_BOOTHARD,
                                        OLS_DISTURB, OLS_SCE, OLS_GCE, OLS_PC,     OLS_TFKD};

/* The options of a method, with weights that make every part of its loss count, and none so large that it would need
 * other tolerances. */
static ols_options options_of(ols_smoothing method)
{
    ols_options options = ols_default_options(method);
    options.boot_beta = .6f;
    options.disturb_alpha = .5f;
    options.sce_alpha = options.sce_beta = .25f;
    options.pc_lambda = .25f;
    options.tfkd_alpha = .6f;
    options.tfkd_temperature = 4;
    return options;
}

static void the_gpu_reads_the_same_labels_from_truth(void **test)
{
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(class_counts); ++i) {
        int classes = class_counts[i], found[2] = {0, 0}, b;
        ols_options options = ols_default_options(OLS_HARD);
        ols_batch cpu = new_batch(classes, 40, 1), gpu = new_batch(classes, 40, 1);
        cpu_step(cpu, &options, 0, 1);
        gpu_step(gpu, &options, 0, 1);
        assert_same_labels(gpu, cpu);
        for (b = 0; b < 40; ++b) ++found[cpu.labels[b] < 0];
        assert_true(found[0] && found[1]);
        free_batch(cpu), free_batch(gpu);
    }
}

static void the_gpu_gives_the_same_loss_and_gradient(void **test)
{
    static const float temperatures[] = {1, 2.5f};
    size_t i, m, t;
    (void)test;
    for (i = 0; i < COUNT(class_counts); ++i) {
        int classes = class_counts[i];
        ols_state *on_cpu = random_state(classes, 2), *on_gpu = random_state(classes, 2);
        /* a row that is no distribution, and a row of zeros, which has no soft term */
        on_cpu->S[classes] = on_gpu->S[classes] += .5f;
        on_cpu->row_sum[1] = on_gpu->row_sum[1] = 1.5f;
        memset(on_cpu->S, 0, classes * sizeof(float)), memset(on_gpu->S, 0, classes * sizeof(float));
        on_cpu->row_sum[0] = on_gpu->row_sum[0] = 0;
        assert_cuda(ols_state_to_gpu(on_gpu));
        for (m = 0; m < COUNT(methods); ++m) {
            for (t = 0; t < COUNT(temperatures); ++t) {
                ols_options options = options_of(methods[m]);
                ols_batch cpu = new_batch(classes, 20, 3);
                ols_batch gpu = new_batch(classes, 20, 3);
                options.alpha = .3f;
                if (t) options.soft_weight = 1;
                memset(cpu.truth, 0, classes * sizeof(float)), memset(gpu.truth, 0, classes * sizeof(float));
                cpu.truth[0] = gpu.truth[0] = 1; /* a sample of the class whose row is zeros */
                cpu_step(cpu, &options, ols_has_state(&options) ? on_cpu : 0, temperatures[t]);
                gpu_step(gpu, &options, ols_has_state(&options) ? on_gpu : 0, temperatures[t]);
                assert_same_labels(gpu, cpu);
                assert_same_training(gpu, cpu);
                free_batch(cpu), free_batch(gpu);
            }
        }
        ols_free_state(on_cpu), ols_free_state(on_gpu);
    }
}

static void the_gpu_gives_a_finite_loss_for_saturated_logits(void **test)
{
    static const float rows[4][3] = {{1e4f, -1e4f, 0}, {-1e4f, 1e4f, 1e4f}, {-1e4f, -1e4f, -1e4f}, {1e4f, 1e4f, 1e4f}};
    size_t m;
    int label, b;
    (void)test;
    for (m = 0; m < COUNT(methods); ++m) {
        ols_options options = options_of(methods[m]);
        ols_state *on_cpu = random_state(3, 2), *on_gpu = random_state_on_gpu(3, 2);
        for (label = 0; label < 3; ++label) {
            ols_batch cpu = new_batch(3, 4, 1), gpu = new_batch(3, 4, 1);
            memcpy(cpu.logits, rows, sizeof rows), memcpy(gpu.logits, rows, sizeof rows);
            memset(cpu.truth, 0, sizeof rows), memset(gpu.truth, 0, sizeof rows);
            for (b = 0; b < 4; ++b) cpu.truth[b * 3 + label] = gpu.truth[b * 3 + label] = 1;
            cpu_step(cpu, &options, on_cpu, 1);
            gpu_step(gpu, &options, on_gpu, 1);
            for (b = 0; b < 4; ++b) assert_true(isfinite(gpu.loss[b]));
            assert_same_training(gpu, cpu);
            free_batch(cpu), free_batch(gpu);
        }
        ols_free_state(on_cpu), ols_free_state(on_gpu);
    }
}

/* Batches of different sizes, as when a network is resized or cfgs differ between runs. */
static void the_gpu_gathers_the_same_statistics(void **test)
{
    static const int batches[] = {1, 5, 32, 7, 64};
    size_t i, n;
    (void)test;
    for (i = 0; i < COUNT(class_counts); ++i) {
        int classes = class_counts[i];
        ols_options options = ols_default_options(OLS_OLS);
        ols_state *on_cpu = ols_new_state(classes, &options), *on_gpu = ols_new_state(classes, &options);
        ols_summary counts;
        assert_cuda(ols_state_to_gpu(on_gpu));
        for (n = 0; n < COUNT(batches); ++n) {
            ols_batch cpu = new_batch(classes, batches[n], 10 + n), gpu = new_batch(classes, batches[n], 10 + n);
            cpu_step(cpu, &options, on_cpu, 1);
            gpu_step(gpu, &options, on_gpu, 1);
            free_batch(cpu), free_batch(gpu);
        }
        assert_cuda(ols_pull(on_gpu));
        assert_same_state(on_gpu, on_cpu);
        ols_count(on_gpu, &counts);
        assert_true(counts.correct > 50 && counts.seen > counts.correct && counts.unlabelled > 10);
        ols_free_state(on_cpu), ols_free_state(on_gpu);
    }
}

static void the_gpu_takes_the_first_of_equal_probabilities(void **test)
{
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(class_counts); ++i) {
        int classes = class_counts[i], b, k;
        ols_options options = ols_default_options(OLS_OLS);
        ols_state *on_cpu = ols_new_state(classes, &options), *on_gpu = ols_new_state(classes, &options);
        ols_batch cpu = new_batch(classes, 20, 5), gpu = new_batch(classes, 20, 5);
        assert_cuda(ols_state_to_gpu(on_gpu));
        /* The label has the same score as one class before it, one after it, one after it that the same of 256 threads
         * reads, or all. */
        for (b = 0; b < 20; ++b) {
            float *truth = cpu.truth + (size_t)b * classes, *logits = cpu.logits + (size_t)b * classes;
            int label = b % 4 == 3 ? 0 : (int)((b + .5) / 20 * classes);
            int others[4];
            others[0] = label / 2, others[1] = (label + classes) / 2, others[2] = label + 256, others[3] = 0;
            memset(truth, 0, classes * sizeof(float));
            truth[label] = 1;
            for (k = 0; k < classes; ++k) logits[k] = 1;
            if (b % 4 < 3) logits[label] = logits[others[b % 4] < classes ? others[b % 4] : 0] = 5;
        }
        memcpy(gpu.truth, cpu.truth, 20 * classes * sizeof(float));
        memcpy(gpu.logits, cpu.logits, 20 * classes * sizeof(float));
        cpu_step(cpu, &options, on_cpu, 1);
        gpu_step(gpu, &options, on_gpu, 1);
        assert_same_labels(gpu, cpu);
        assert_cuda(ols_pull(on_gpu));
        assert_same_state(on_gpu, on_cpu);
        free_batch(cpu), free_batch(gpu);
        ols_free_state(on_cpu), ols_free_state(on_gpu);
    }
}

static void the_gpu_keeps_what_is_not_finite_out_of_the_sums(void **test)
{
    static const float rows[][3] = {{NAN, NAN, NAN},  {NAN, .6f, .4f},  {.6f, NAN, .4f},      {.6f, .4f, NAN},
                                    {INFINITY, 0, 0}, {0, INFINITY, 0}, {.6f, INFINITY, .4f}, {-INFINITY, NAN, .4f}};
    enum { ROWS = COUNT(rows) };
    ols_options options = ols_default_options(OLS_OLS);
    int label, i;
    (void)test;
    for (label = 0; label < 3; ++label) {
        ols_state *state = ols_new_state(3, &options);
        ols_batch x = new_batch(3, ROWS, 1);
        assert_cuda(ols_state_to_gpu(state));
        memcpy(x.logits, rows, sizeof rows);
        memset(x.truth, 0, sizeof rows);
        for (i = 0; i < ROWS; ++i) x.truth[i * 3 + label] = 1;
        gpu_step(x, &options, state, 1);
        assert_cuda(ols_pull(state));
        for (i = 0; i < ROWS; ++i) assert_true(isnan(x.loss[i]));
        for (i = 0; i < 3 * ROWS; ++i) assert_true(isnan(x.probs[i]) && isnan(x.delta[i]));
        for (i = 0; i < 9; ++i) assert_close(state->A[i], 0, 0);
        assert_int_equal(state->seen[label], ROWS);
        assert_int_equal(state->correct[label], 0);
        free_batch(x);
        ols_free_state(state);
    }
}

static void a_class_that_the_logits_rule_out_costs_nothing_on_the_gpu(void **test)
{
    static const float logits[] = {1, -INFINITY, 0}, truth[] = {1, 0, 0};
    ols_options options = ols_default_options(OLS_HARD);
    ols_batch x = new_batch(3, 1, 1);
    (void)test;
    memcpy(x.logits, logits, sizeof logits), memcpy(x.truth, truth, sizeof truth);
    gpu_step(x, &options, 0, 1);
    assert_close(x.loss[0], log(1 + exp(-1)), 1e-6);
    assert_close(x.delta[1], 0, 0);
    assert_int_equal(x.hits[0], 0);
    free_batch(x);
}

static void the_counts_come_from_the_gpu_alone(void **test)
{
    ols_state *state = random_state_on_gpu(100, 6), *same = random_state(100, 6);
    (void)test;
    memset(state->S, 0, 100 * 100 * sizeof(float));
    memset(state->correct, 0, 100 * sizeof(int64_t));
    memset(state->seen, 0, 100 * sizeof(int64_t));
    state->unlabelled = 0;
    assert_cuda(ols_pull_counts(state));
    assert_memory_equal(state->correct, same->correct, 100 * sizeof(int64_t));
    assert_memory_equal(state->seen, same->seen, 100 * sizeof(int64_t));
    assert_int_equal(state->unlabelled, same->unlabelled);
    assert_close(state->S[0], 0, 0);
    ols_free_state(state), ols_free_state(same);
}

static void the_gpu_updates_as_the_cpu_does(void **test)
{
    static const ols_row empties[] = {OLS_ROW_UNIFORM, OLS_ROW_ZERO, OLS_ROW_KEEP};
    static const float freezes[] = {0, .02f, .5f};
    static const ols_normalisation normalisations[] = {OLS_BY_SUM, OLS_BY_HITS};
    static const float temperatures[] = {1, .5f, 3}, decays[] = {0, .75f};
    static const int64_t periods[] = {0, 10};
    size_t i, e, f;
    (void)test;
    for (i = 0; i < COUNT(class_counts); ++i) {
        for (e = 0; e < COUNT(empties); ++e) {
            for (f = 0; f < COUNT(freezes) * COUNT(normalisations); ++f) {
                int classes = class_counts[i];
                ols_options options = ols_default_options(OLS_OLS);
                ols_state *on_cpu, *on_gpu;
                if (classes > 1000 && e != f % COUNT(freezes)) continue; /* a third is enough for the large one */
                options.empty = empties[e];
                options.freeze = freezes[f % COUNT(freezes)];
                options.normalise = normalisations[f / COUNT(freezes)];
                options.soft_temperature = temperatures[e];
                options.decay = decays[(e + f) % COUNT(decays)];
                options.period = periods[(e + f) % 2];
                on_cpu = random_state(classes, 4), on_gpu = random_state(classes, 4);
                /* row 0 will be frozen; the last one is a row of zeros */
                memset(on_cpu->S, 0, classes * sizeof(float)), memset(on_gpu->S, 0, classes * sizeof(float));
                on_cpu->S[classes - 1] = on_gpu->S[classes - 1] = 1;
                memset(on_cpu->S + (size_t)(classes - 1) * classes, 0, classes * sizeof(float));
                memset(on_gpu->S + (size_t)(classes - 1) * classes, 0, classes * sizeof(float));
                on_cpu->row_sum[classes - 1] = on_gpu->row_sum[classes - 1] = 0;
                assert_cuda(ols_state_to_gpu(on_gpu));
                ols_update(on_cpu, &options, 100);
                assert_cuda(ols_update_gpu(on_gpu, &options, 100));
                assert_cuda(ols_pull(on_gpu));
                assert_same_state(on_gpu, on_cpu);
                ols_free_state(on_cpu), ols_free_state(on_gpu);
            }
        }
    }
}

/* Two epochs of training, in which the targets depend on the updates of the GPU's statistics. */
static ols_state *train(ols_smoothing method, int classes, int on_gpu, float *losses)
{
    enum { BATCHES = 6, BATCH = 16 };
    ols_options options = ols_default_options(method);
    ols_state *state = ols_new_state(classes, &options);
    int n;
    if (on_gpu) assert_cuda(ols_state_to_gpu(state));
    for (n = 0; n < BATCHES; ++n) {
        ols_batch x = new_batch(classes, BATCH, 50 + n);
        if (on_gpu)
            gpu_step(x, &options, state, 1);
        else
            cpu_step(x, &options, state, 1);
        memcpy(losses + n * BATCH, x.loss, BATCH * sizeof(float));
        state->images += BATCH;
        ++state->iterations;
        if (ols_due(state, &options, 3 * BATCH)) {
            if (on_gpu)
                assert_cuda(ols_update_gpu(state, &options, 3 * BATCH));
            else
                ols_update(state, &options, 3 * BATCH);
        }
        free_batch(x);
    }
    assert_int_equal(state->updates, 2);
    if (on_gpu) assert_cuda(ols_pull(state));
    return state;
}

static const ols_smoothing with_soft_labels[] = {OLS_OLS, OLS_SINGLE};

static void training_on_the_gpu_equals_training_on_the_cpu(void **test)
{
    size_t i;
    int n;
    (void)test;
    for (i = 0; i < 2 * COUNT(class_counts); ++i) {
        const ols_smoothing method = with_soft_labels[i % 2];
        const int classes = class_counts[i / 2];
        float cpu_losses[96], gpu_losses[96];
        ols_state *cpu = train(method, classes, 0, cpu_losses), *gpu = train(method, classes, 1, gpu_losses);
        for (n = 0; n < 96; ++n) assert_close(gpu_losses[n], cpu_losses[n], 1e-5 * cpu_losses[n] + 3e-7);
        assert_same_state(gpu, cpu);
        ols_free_state(cpu), ols_free_state(gpu);
    }
}

static void two_runs_on_the_gpu_give_the_same_bits(void **test)
{
    size_t i;
    (void)test;
    for (i = 0; i < 2 * COUNT(class_counts); ++i) {
        const ols_smoothing method = with_soft_labels[i % 2];
        const int classes = class_counts[i / 2];
        float once_losses[96], again_losses[96];
        ols_state *once = train(method, classes, 1, once_losses), *again = train(method, classes, 1, again_losses);
        assert_memory_equal(once_losses, again_losses, sizeof once_losses);
        assert_identical_state(once, again);
        ols_free_state(once), ols_free_state(again);
    }
}

static void a_state_travels_to_the_gpu_and_back_whole(void **test)
{
    ols_state *state = random_state_on_gpu(100, 6), *same = random_state(100, 6), *other = random_state(100, 7);
    (void)test;
    other->row_sum[3] = 0;
    other->unlabelled = 11;
    memset(state->S, 0, 100 * 100 * sizeof(float)); /* the host's copy is out of date */
    memset(state->A, 0, 100 * 100 * sizeof(float));
    memset(state->row_sum, 0, 100 * sizeof(float));
    memset(state->correct, 0, 100 * sizeof(int64_t));
    memset(state->seen, 0, 100 * sizeof(int64_t));
    state->unlabelled = 0;
    assert_cuda(ols_pull(state));
    assert_identical_state(state, same);
    memcpy(state->S, other->S, 100 * 100 * sizeof(float));
    memcpy(state->A, other->A, 100 * 100 * sizeof(float));
    memcpy(state->row_sum, other->row_sum, 100 * sizeof(float));
    memcpy(state->correct, other->correct, 100 * sizeof(int64_t));
    memcpy(state->seen, other->seen, 100 * sizeof(int64_t));
    state->unlabelled = 11;
    assert_cuda(ols_push(state));
    memset(state->S, 0, 100 * 100 * sizeof(float));
    memset(state->row_sum, 0, 100 * sizeof(float));
    state->unlabelled = 0;
    assert_cuda(ols_pull(state));
    assert_identical_state(state, other);
    ols_free_state(state), ols_free_state(same), ols_free_state(other);
}

static void a_reset_reaches_the_gpu(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state_on_gpu(100, 6), *fresh;
    (void)test;
    options.init = OLS_ROW_LS;
    fresh = ols_new_state(100, &options);
    ols_reset_state(state, &options);
    memset(state->S, 0, 100 * 100 * sizeof(float));
    memset(state->A, 1, 100 * 100 * sizeof(float));
    memset(state->seen, 1, 100 * sizeof(int64_t));
    assert_cuda(ols_pull(state));
    assert_identical_state(state, fresh);
    ols_free_state(state), ols_free_state(fresh);
}

static void the_gpu_mixture_points_to_the_device(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state_on_gpu(10, 6);
    ols_target_spec cpu = ols_make_target_spec(&options, state, 10),
                    gpu = ols_make_target_spec_gpu(&options, state, 10);
    (void)test;
    assert_ptr_equal(gpu.S, state->S_gpu);
    assert_ptr_equal(gpu.row_sum, state->row_sum_gpu);
    assert_ptr_equal(cpu.S, state->S);
    assert_ptr_equal(cpu.row_sum, state->row_sum);
    assert_close(gpu.hard_weight, cpu.hard_weight, 0);
    assert_close(gpu.soft_weight, cpu.soft_weight, 0);
    options.start = state->updates + 1; /* S is not used yet */
    gpu = ols_make_target_spec_gpu(&options, state, 10);
    assert_close(gpu.hard_weight, 1, 0);
    assert_close(gpu.soft_weight, 0, 0);
    assert_null(gpu.S);
    options.smoothing = OLS_LS;
    gpu = ols_make_target_spec_gpu(&options, 0, 10);
    assert_null(gpu.S);
    assert_close(gpu.uniform, .1, 1e-7);
    ols_free_state(state);
}

/* No leak on the device: its free memory is the same after many states. */
static void a_freed_state_leaves_nothing_on_the_gpu(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    size_t before, after, total;
    int i;
    (void)test;
    for (i = 0; i < 20; ++i) {
        ols_state *state = random_state_on_gpu(1000, 6); /* 8 MB */
        ols_batch x = new_batch(1000, 16 + i, 1);
        gpu_step(x, &options, state, 1);
        free_batch(x);
        ols_free_state(state);
        assert_cuda(cudaMemGetInfo(i ? &after : &before, &total));
    }
    assert_true(after + (64 << 20) > before); /* S or A of all states is more */
}

#define TEST(name) cmocka_unit_test(name)

#endif

int main(void)
{
    struct CMUnitTest tests[] = {
        GPU_TEST(the_gpu_reads_the_same_labels_from_truth),
        GPU_TEST(the_gpu_gives_the_same_loss_and_gradient),
        GPU_TEST(the_gpu_gives_a_finite_loss_for_saturated_logits),
        GPU_TEST(the_gpu_gathers_the_same_statistics),
        GPU_TEST(the_gpu_takes_the_first_of_equal_probabilities),
        GPU_TEST(the_gpu_keeps_what_is_not_finite_out_of_the_sums),
        GPU_TEST(a_class_that_the_logits_rule_out_costs_nothing_on_the_gpu),
        GPU_TEST(the_counts_come_from_the_gpu_alone),
        GPU_TEST(the_gpu_updates_as_the_cpu_does),
        GPU_TEST(training_on_the_gpu_equals_training_on_the_cpu),
        GPU_TEST(two_runs_on_the_gpu_give_the_same_bits),
        GPU_TEST(a_state_travels_to_the_gpu_and_back_whole),
        GPU_TEST(a_reset_reaches_the_gpu),
        GPU_TEST(the_gpu_mixture_points_to_the_device),
        GPU_TEST(a_freed_state_leaves_nothing_on_the_gpu),
    };
    skip_without_gpu(tests, COUNT(tests));
    return cmocka_run_group_tests_name("ols_gpu", tests, 0, 0) != 0;
}
