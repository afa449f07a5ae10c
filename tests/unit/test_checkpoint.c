/* Tests of soft labels in weights files (src/train/checkpoint.h): a resumed training continues exactly, and -clear
 * discards them. */
#include "helpers/test_networks.h"
#include "train/checkpoint.h"
#include "train/layer_weights.h"
#include "train/optimiser_state.h"
#include "train/trailer.h"
#include "train/training_check.h"

enum { MOST_BYTES = 1 << 16 };

static size_t read_bytes(const char *name, unsigned char bytes[MOST_BYTES])
{
    FILE *file = fopen(in_folder(name), "rb");
    size_t n;
    assert_non_null(file);
    n = fread(bytes, 1, MOST_BYTES, file);
    assert_true(n && n < MOST_BYTES);
    fclose(file);
    return n;
}

static void rewrite_file(const char *name, const unsigned char *bytes, size_t n)
{
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

/* Files named a.weights are saved with the optimiser's state, and read with it, if `keeps` is set. */
static void keep_optimiser(int keeps)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s", in_folder("a.weights"));
    checkpoint_keep_optimiser_in(keeps ? path : 0, 0);
    checkpoint_load_for(keeps ? LOAD_TO_RESUME : LOAD_TO_USE);
}

/* A training of nine iterations, and one of five that goes on from its file, are the same, with a momentum of .9. */
static void assert_resumes(const char *format, int epoch, int classes)
{
    network *whole = network_of(61, format, 6, 2, .9, .02), *first = network_of(61, format, 6, 2, .9, .02), *second;
    int i;
    keep_optimiser(1);
    begin(&whole, 1, epoch, classes, 0);
    begin(&first, 1, epoch, classes, 0);
    for (i = 0; i < 9; ++i) iterate(whole, i);
    for (i = 0; i < 5; ++i) iterate(first, i);
    if (state_of(first)) {
        assert_true(state_of(first)->images > 0 && state_of(first)->updates > 0); /* within an epoch after the first */
        assert_true(sum_of(state_of(first)->correct, classes) > 0);
    }
    save(first, "a.weights");
    second = network_from(in_folder("a.weights"), 0, format, 6, 2, .9, .02);
    begin(&second, 1, epoch, classes, 0);
    if (state_of(first)) assert_same_state(state_of(first), state_of(second));
    for (; i < 9; ++i) iterate(second, i);
    if (state_of(first)) {
        assert_true(state_of(whole)->updates > state_of(first)->updates);
        assert_same_state(state_of(whole), state_of(second));
    }
    assert_same_weights(whole, second);
    assert_same_activations(whole, second);
    assert_int_equal(*whole->seen, *second->seen);
    if (!whole->adam) assert_int_equal(*whole->t, *second->t); /* on the CPU Adam has taken no step that counts */
    free_network(whole);
    free_network(first);
    free_network(second);
    keep_optimiser(0);
}

static void a_run_cut_in_the_middle_of_an_epoch_goes_on_as_if_it_had_not_been(void **state)
{
    (void)state;
    assert_resumes(EPOCH, 20, CLASSES);
    assert_resumes(EPOCH "init=zero\nempty=keep\nfreeze=.5\n", 20, CLASSES);
    assert_resumes(EPOCH "period=4\n", 20, CLASSES);
    assert_resumes(NET("8") TRUNK YOLO_HEAD "smoothing=ols\n", 20, HEAD_CLASSES);
    assert_resumes(NET("8") TRUNK REGION_HEAD "softmax=1\nsmoothing=ols\n", 20, HEAD_CLASSES);
    assert_resumes(NET("8") TRUNK DETECTION_HEAD "smoothing=ols\n", 20, HEAD_CLASSES);
    assert_resumes(NET("16") THREE_HEADS("smoothing=ols\n"), 20, HEAD_CLASSES);
}

/* What is drawn at random and what begins later depend on the place in the training. */
static void so_does_one_of_every_method_that_draws_or_counts(void **state)
{
    (void)state;
    assert_resumes(CLASSIFIER "[ols]\nsmoothing=disturb\ndisturb_alpha=.5\n", 20, CLASSES);
    assert_resumes(CLASSIFIER "[ols]\nsmoothing=ols-single\n", 20, CLASSES);
    assert_resumes(CLASSIFIER "[ols]\nsmoothing=pc\npc_start=3\n", 20, CLASSES);
    assert_resumes(NET("8") TRUNK YOLO_HEAD "smoothing=disturb\ndisturb_alpha=.5\n", 20, HEAD_CLASSES);
    assert_resumes(NET("16") THREE_HEADS("smoothing=ols-single\n"), 20, HEAD_CLASSES);
}

/* NET with one more line of [net] */
#define NET_AND(line) "[net]\n" line NET_KEYS("8")

static void so_does_one_with_nesterov_and_with_adam(void **state)
{
    (void)state;
    assert_resumes(NET_AND("nesterov=1\n") NORMALIZED_LAYERS "[ols]\n", 20, CLASSES);
    assert_resumes(NET_AND("adam=1\n") NORMALIZED_LAYERS "[ols]\n", 20, CLASSES);
    assert_resumes(NET_AND("nesterov=1\n") TRUNK YOLO_HEAD "smoothing=ols\n", 20, HEAD_CLASSES);
    assert_resumes(NET_AND("adam=1\n") TRUNK YOLO_HEAD "smoothing=ols\n", 20, HEAD_CLASSES);
}

static void load_into(void *net)
{
    load_weights((network *)net, in_folder("a.weights"));
}

/* One layer of every type that has weights, but for [deconvolutional], which Darknet cannot load. */
#define EVERY_LAYER(line)                                                                                              \
    "[net]\n" line "batch=%d\nsubdivisions=%d\nheight=4\nwidth=4\nchannels=2\nmomentum=%g\nlearning_rate=%g\n"         \
    "[convolutional]\nbatch_normalize=1\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=relu\n"                        \
    "[local]\nfilters=2\nsize=2\nstride=2\npad=0\nactivation=linear\n"                                                 \
    "[crnn]\nbatch_normalize=0\nhidden_filters=2\noutput_filters=2\nactivation=leaky\n[batchnorm]\n"                   \
    "[connected]\noutput=6\nbatch_normalize=1\nactivation=relu\n"                                                      \
    "[rnn]\noutput=5\nhidden=4\nactivation=leaky\nbatch_normalize=1\n[gru]\noutput=4\n[lstm]\noutput=3\n[softmax]\n"

/* Calls `each` with the arrays of the optimiser's state of two networks. Returns how many there are. */
static int for_each_state(network *a, network *b, void (*each)(float *a, float *b, size_t n, int id))
{
    weight_array one[MAX_WEIGHT_ARRAYS], other[MAX_WEIGHT_ARRAYS];
    int i, k, count = 0;
    for (i = 0; i < a->n; ++i) {
        const int n = layer_weight_arrays(&a->layers[i], one);
        layer_weight_arrays(&b->layers[i], other);
        for (k = 0; k < n; ++k) {
            if (one[k].updates) each(one[k].updates, other[k].updates, one[k].count, ++count);
            if (one[k].m) each(one[k].m, other[k].m, one[k].count, ++count);
            if (one[k].v) each(one[k].v, other[k].v, one[k].count, ++count);
        }
    }
    return count;
}

static void fill(float *a, float *b, size_t n, int id)
{
    size_t i;
    (void)b;
    for (i = 0; i < n; ++i) a[i] = id + (float)i / 1024;
}

static void assert_equal_states(float *a, float *b, size_t n, int id)
{
    assert_same_bits("state", id, a, b, n);
}

static void assert_zeros(float *a, float *b, size_t n, int id)
{
    size_t i;
    (void)a;
    for (i = 0; i < n; ++i)
        if (b[i] != 0) fail_msg("array %d begins with %g", id, b[i]);
}

static void state_travels(const char *format, int arrays)
{
    network *net = network_of(65, format, 2, 1, .9, .05), *resumed, *used;
    keep_optimiser(1);
    assert_int_equal(for_each_state(net, net, fill), arrays);
    *net->t = 77;
    save(net, "a.weights");
    resumed = network_from(in_folder("a.weights"), 0, format, 2, 1, .9, .05);
    for_each_state(net, resumed, assert_equal_states);
    assert_int_equal(*resumed->t, 77);
    memset(net->layers[0].bias_updates, 0, biases_of(net->layers[0]) * sizeof(float));
    save(net, "a.weights");
    hush();
    load_into(resumed);
    unhush();
    for_each_state(net, resumed, assert_equal_states);
    keep_optimiser(0);
    used = network_from(in_folder("a.weights"), 0, format, 2, 1, .9, .05);
    for_each_state(net, used, assert_zeros);
    assert_int_equal(*used->t, 0);
    free_network(net);
    free_network(resumed);
    free_network(used);
}

static void the_momentum_and_moments_of_every_layer_are_kept_for_a_training_alone(void **state)
{
    /* 3 of [convolutional], 2 of [local], 6 of [crnn], 1 of [batchnorm], whose biases Darknet
     * does not save, 3 of [connected], 9 of [rnn], 12 of [gru], 16 of [lstm] */
    enum { TRAINED = 3 + 2 + 6 + 1 + 3 + 9 + 12 + 16 };
    (void)state;
    state_travels(EVERY_LAYER(""), TRAINED);
    state_travels(EVERY_LAYER("nesterov=1\n"), TRAINED);
    /* Darknet knows no moments of [local], [batchnorm] and the convolutions in [crnn] */
    state_travels(EVERY_LAYER("adam=1\n"), 3 * TRAINED - 2 * (2 + 1 + 6));
}

static void assert_doubled(float *a, float *b, size_t n, int id)
{
    size_t i;
    for (i = 0; i < n; ++i)
        if (b[i] != 2 * a[i]) fail_msg("array %d has %g for %g", id, b[i], a[i]);
}

/* Darknet's sums over a batch grow with it, and their squares with its square. */
static void with_another_batch_the_momentum_is_that_of_as_many_images(void **state)
{
    network *net = network_of(68, EPOCH, 4, 2, .9, .05), *twice;
    network *adam = network_of(68, NET_AND("adam=1\n") NORMALIZED_LAYERS "[ols]\n", 4, 1, .9, .05), *half;
    size_t i;
    (void)state;
    keep_optimiser(1);
    for_each_state(net, net, fill);
    save(net, "a.weights");
    twice = network_from(in_folder("a.weights"), 0, EPOCH, 8, 1, .9, .05);
    for_each_state(net, twice, assert_doubled);
    for_each_state(adam, adam, fill);
    save(adam, "a.weights");
    half = network_from(in_folder("a.weights"), 0, NET_AND("adam=1\n") NORMALIZED_LAYERS "[ols]\n", 2, 1, .9, .05);
    for (i = 0; i < weights_of(adam->layers[0]); ++i) {
        assert_true(half->layers[0].m[i] == adam->layers[0].m[i] / 2);
        assert_true(half->layers[0].v[i] == adam->layers[0].v[i] / 4);
    }
    keep_optimiser(0);
    free_network(net);
    free_network(twice);
    free_network(adam);
    free_network(half);
}

static void adam_counts_from_its_first_step_after_a_training_on_the_cpu(void **state)
{
    network *net = network_of(69, NET_AND("adam=1\n") NORMALIZED_LAYERS "[softmax]\n", 4, 1, .9, .05), *resumed;
    (void)state;
    keep_optimiser(1);
    iterate(net, 0);
    assert_int_equal(*net->t, 1);
    save(net, "a.weights");
    resumed =
        network_from(in_folder("a.weights"), 0, NET_AND("adam=1\n") NORMALIZED_LAYERS "[softmax]\n", 4, 1, .9, .05);
    assert_int_equal(*resumed->t, 0);
    keep_optimiser(0);
    free_network(net);
    free_network(resumed);
}

static void only_files_that_a_training_goes_on_from_hold_the_optimiser_s_state(void **state)
{
    network *net = network_of(66, EPOCH, 4, 1, .9, .05);
    static unsigned char bytes[MOST_BYTES];
    size_t with, without, weights = 0;
    int i;
    (void)state;
    for_each_state(net, net, fill);
    for (i = 0; i < net->n; ++i) weights += weights_of(net->layers[i]) + biases_of(net->layers[i]);
    assert_int_equal(optimiser_count(net), 6);
    save(net, "a.weights");
    without = read_bytes("a.weights", bytes);
    keep_optimiser(1);
    save(net, "a.weights");
    with = read_bytes("a.weights", bytes);
    assert_int_equal(with, without + 6 * sizeof(uint64_t) + weights * sizeof(float));
    /* what the look at the free space asks for: but for some 100 bytes of header and counts */
    assert_true(checkpoint_size(net) < with + 256. && checkpoint_size(net) > with - 256.);
    save(net, "b.weights");
    assert_int_equal(read_bytes("b.weights", bytes), without);
    /* arrays that are 0 take no room: the moments on the CPU, and all before the first iteration */
    memset(net->layers[0].weight_updates, 0, weights_of(net->layers[0]) * sizeof(float));
    save(net, "a.weights");
    assert_int_equal(read_bytes("a.weights", bytes), with - weights_of(net->layers[0]) * sizeof(float));
    keep_optimiser(0);
    free_network(net);
}

static void every_ols_layer_of_a_network_has_soft_labels_of_its_own_in_the_file(void **state)
{
#define TWO CLASSIFIER "[ols]\nperiod=2\n[route]\nlayers=-2\n[ols]\nperiod=3\n"
    network *net = network_of(62, TWO, 4, 1, 0., .05), *loaded;
    ols_state *read;
    int i;
    (void)state;
    for (i = 0; i < 4; ++i) iterate(net, i);
    save(net, "a.weights");
    loaded = network_from(in_folder("a.weights"), 0, TWO, 4, 1, 0., .05);
    for (i = 0; i < 2; ++i) {
        assert_int_equal(soft_labels_owner(net, i)->state->updates, i ? 1 : 2);
        assert_same_state(soft_labels_owner(net, i)->state, soft_labels_owner(loaded, i)->state);
        read = checkpoint_read_soft_labels(in_folder("a.weights"), i);
        assert_same_state(soft_labels_owner(net, i)->state, read);
        ols_free_state(read);
    }
    assert_null(soft_labels_owner(net, 2));
    free_network(net);
    free_network(loaded);
}

static void clear_forgets_the_soft_labels_and_the_position(void **state)
{
    network *fresh = network_of(63, EPOCH, 6, 2, 0., .05), *net = network_of(63, EPOCH, 6, 2, 0., .05), *cleared;
    int i;
    (void)state;
    begin(&net, 1, 16, CLASSES, 0);
    for (i = 0; i < 5; ++i) iterate(net, i);
    save(net, "a.weights");
    cleared = network_from(in_folder("a.weights"), 1, EPOCH, 6, 2, 0., .05);
    assert_same_state(state_of(cleared), state_of(fresh));
    assert_int_equal(*cleared->seen, 0);
    assert_memory_equal(cleared->layers[2].weights, net->layers[2].weights, weights_of(net->layers[2]) * sizeof(float));
    free_network(fresh);
    free_network(net);
    free_network(cleared);
}

/* ---- Damaged files ----------------------------------------------------------------------------------------------- */

/* Two kinds of networks: with soft labels, and Darknet's own. */
#define WITHOUT CLASSIFIER "[softmax]\n"

static int is_refused(network *net)
{
    char words[1024];
    const int status = status_of(load_into, net, words, sizeof words);
    assert_true(status == 0 || (status == 1 && strstr(words, "a.weights")));
    return status == 1;
}

/* A small file of a network that has trained, and the network. */
static network *small_file(const char *format, unsigned char bytes[MOST_BYTES], size_t *n)
{
    network *net = network_of(64, format, 4, 1, .9, .05);
    int i;
    begin(&net, 1, 16, CLASSES, 0);
    for (i = 0; i < 3; ++i) iterate(net, i);
    save(net, "a.weights");
    *n = read_bytes("a.weights", bytes);
    assert_false(is_refused(net));
    return net;
}

/* What every reader asks first. */
static int is_damaged(unsigned char *bytes, size_t n)
{
    FILE *file = fmemopen(bytes, n, "rb");
    trailer end;
    int result;
    assert_non_null(file);
    end = trailer_find(file, (long long)n);
    result = trailer_check(file, (long long)n, &end) != 0;
    fclose(file);
    return result;
}

/* Every bit; and by the loader itself, every 97th. */
static void refuses_flips(const char *format)
{
    static unsigned char bytes[MOST_BYTES];
    size_t n, bit;
    network *net = small_file(format, bytes, &n);
    assert_false(is_damaged(bytes, n));
    for (bit = 0; bit < 8 * n; ++bit) {
        bytes[bit / 8] ^= 1 << bit % 8;
        if (bit % 97 == 0) rewrite_file("a.weights", bytes, n);
        if (!is_damaged(bytes, n) || (bit % 97 == 0 && !is_refused(net)))
            fail_msg("bit %d of byte %d of %d is missed", (int)(bit % 8), (int)(bit / 8), (int)n);
        bytes[bit / 8] ^= 1 << bit % 8;
    }
    rewrite_file("a.weights", bytes, n);
    assert_false(is_refused(net));
    free_network(net);
}

static void a_file_with_one_flipped_bit_is_refused(void **state)
{
    (void)state;
    refuses_flips(EPOCH);
    refuses_flips(WITHOUT);
}

/* Every length; by the loader itself those below a header and every 31st. */
static void refuses_cuts(const char *format)
{
    enum { HEADER = 20 };
    static unsigned char bytes[MOST_BYTES];
    size_t n, length;
    network *net = small_file(format, bytes, &n);
    for (length = 0; length < n; ++length) {
        const int is_loaded = length < HEADER || length % 31 == 0 || length == n - TRAILER_BYTES;
        if (is_loaded) rewrite_file("a.weights", bytes, length);
        if ((length >= HEADER && !is_damaged(bytes, length)) || (is_loaded && !is_refused(net)))
            fail_msg("it is missed that only %d of %d bytes are there", (int)length, (int)n);
    }
    free_network(net);
}

static void a_file_that_is_cut_off_anywhere_is_refused_also_by_a_training(void **state)
{
    (void)state;
    refuses_cuts(EPOCH);
    refuses_cuts(WITHOUT);
    checkpoint_load_for(LOAD_TO_TRAIN);
    refuses_cuts(EPOCH);
    refuses_cuts(WITHOUT);
    checkpoint_load_for(LOAD_TO_USE);
}

/* Two convolutions and the same two with their sizes exchanged: as many bytes, but other arrays. */
#define CONVOLUTIONS(line, first, second)                                                                              \
    NET_AND(line)                                                                                                      \
    "[convolutional]\nfilters=3\nsize=" first "\npad=1\n[convolutional]\nfilters=3\nsize=" second                      \
    "\npad=1\n[connected]\noutput=5\nactivation=linear\n[softmax]\n"

/* Of other arrays, or, if `is_fresh` is set, of another number of them, which are 0. */
static void refuses_state_of(const char *format, const char *other, int is_fresh)
{
    network *net = network_of(67, format, 4, 1, .9, .05), *foreign = network_of(67, other, 4, 1, .9, .05);
    char words[1024];
    keep_optimiser(1);
    if (!is_fresh) for_each_state(net, net, fill);
    save(net, "a.weights");
    assert_int_equal(status_of(load_into, foreign, words, sizeof words), 1);
    if (!strstr(words, "a.weights holds the optimiser's state of another network")) fail_msg("%s", words);
    assert_false(is_refused(net));
    /* with -clear, and to use it */
    checkpoint_load_for(LOAD_TO_TRAIN);
    assert_false(is_refused(foreign));
    checkpoint_load_for(LOAD_TO_USE);
    assert_false(is_refused(foreign));
    keep_optimiser(0);
    free_network(net);
    free_network(foreign);
}

static void the_state_of_another_network_is_refused_by_a_training_that_would_take_it(void **state)
{
    (void)state;
    refuses_state_of(CONVOLUTIONS("", "1", "3"), CONVOLUTIONS("", "3", "1"), 0);
    refuses_state_of(CONVOLUTIONS("adam=1\n", "1", "3"), CONVOLUTIONS("", "1", "3"), 0);
    refuses_state_of(CONVOLUTIONS("adam=1\n", "1", "3"), CONVOLUTIONS("", "1", "3"), 1);
    refuses_state_of(CONVOLUTIONS("", "1", "3"), CONVOLUTIONS("adam=1\n", "1", "3"), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_cut_in_the_middle_of_an_epoch_goes_on_as_if_it_had_not_been),
        TEST(so_does_one_of_every_method_that_draws_or_counts),
        TEST(so_does_one_with_nesterov_and_with_adam),
        TEST(the_momentum_and_moments_of_every_layer_are_kept_for_a_training_alone),
        TEST(with_another_batch_the_momentum_is_that_of_as_many_images),
        TEST(adam_counts_from_its_first_step_after_a_training_on_the_cpu),
        TEST(only_files_that_a_training_goes_on_from_hold_the_optimiser_s_state),
        TEST(every_ols_layer_of_a_network_has_soft_labels_of_its_own_in_the_file),
        TEST(clear_forgets_the_soft_labels_and_the_position),
        TEST(a_file_with_one_flipped_bit_is_refused),
        TEST(a_file_that_is_cut_off_anywhere_is_refused_also_by_a_training),
        TEST(the_state_of_another_network_is_refused_by_a_training_that_would_take_it),
    };
    (void)argc;
    begin_network_tests(argv);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
