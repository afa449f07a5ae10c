/* Tests of src/ols/encoding.c, which stores a state as a block in a weights file: its bytes, reading it back, and
 * rejecting invalid blocks. */
#include "helpers/test_ols.h"

#include <zlib.h>

typedef struct {
    unsigned char bytes[4096];
    size_t size, at;
    int pieces; /* number of the write that fails, from 1; 0: none fails */
} memory;

static int write_memory(void *context, const void *bytes, size_t n)
{
    memory *m = (memory *)context;
    if (m->pieces && --m->pieces == 0) return 1;
    assert_true(m->size + n <= sizeof m->bytes);
    memcpy(m->bytes + m->size, bytes, n);
    m->size += n;
    return 0;
}

static int read_memory(void *context, void *bytes, size_t n)
{
    memory *m = (memory *)context;
    if (n > m->size - m->at) return 1;
    memcpy(bytes, m->bytes + m->at, n);
    m->at += n;
    return 0;
}

static memory block_of(const ols_state *state)
{
    memory m;
    memset(&m, 0, sizeof m);
    assert_int_equal(ols_write_block(state, write_memory, &m), 0);
    return m;
}

/* Corrects the checksum after a change, so that the block is rejected for its values and not for the checksum. */
static void reseal(memory *m)
{
    uint32_t crc = (uint32_t)crc32(0, m->bytes, (uInt)(m->size - 8));
    memcpy(m->bytes + m->size - 8, &crc, 4);
}

static int read_block(ols_state *state, memory *m, const char **reason)
{
    m->at = 0;
    *reason = 0;
    return ols_read_block(state, read_memory, m, reason);
}

/* Asserts that the block is rejected with a reason that contains `why`, and that the state is unchanged. */
static void assert_block_refused(memory *m, int classes, const char *why)
{
    ols_state *state = full_state(classes, 99), *before = full_state(classes, 99);
    const char *reason;
    assert_int_equal(read_block(state, m, &reason), -1);
    assert_non_null(reason);
    if (!strstr(reason, why)) fail_msg("%s: nothing of %s", reason, why);
    assert_same_state(state, before);
    ols_free_state(state), ols_free_state(before);
}

enum { TINY = 3 }; /* classes of the blocks below */

static void a_block_brings_back_the_state_that_was_written(void **test)
{
    static const int counts[] = {2, 3, 10};
    ols_options options = ols_default_options(OLS_OLS);
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(counts); ++i) {
        ols_state *written = full_state(counts[i], 5), *read = ols_new_state(counts[i], &options);
        memory m = block_of(written);
        const char *reason;
        int classes = 0;
        assert_int_equal(m.size, ols_block_bytes(counts[i]));
        assert_int_equal(ols_footer_length(m.bytes + m.size - OLS_BLOCK_FOOTER), m.size);
        assert_int_equal(ols_read_header(m.bytes, &classes, &reason), 0);
        assert_int_equal(classes, counts[i]);
        assert_int_equal(read_block(read, &m, &reason), 0);
        assert_int_equal(m.at, m.size);
        assert_same_state(read, written);
        ols_free_state(written), ols_free_state(read);
    }
}

/* Of normalise=hits, whose rows sum to anything up to K, as of distributions. */
static void a_block_brings_back_the_sums_of_rows(void **test)
{
    static const float probs[] = {.9f, .7f, .2f, .7f, .9f, .4f, .1f, .1f, .15f, .5f, .3f, .2f};
    static const int labels[] = {0, 1, 2, 0};
    static const ols_normalisation both[] = {OLS_BY_SUM, OLS_BY_HITS};
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(both); ++i) {
        ols_options options = ols_default_options(OLS_OLS);
        ols_state *written = ols_new_state(TINY, &options), *read = ols_new_state(TINY, &options);
        const char *reason;
        memory m;
        options.normalise = both[i];
        accumulate(written, COUNT(labels), probs, labels);
        ols_update(written, &options, 0);
        assert_close(written->row_sum[0], i ? 1.4 : 1, i ? 1e-6 : 0);
        assert_close(written->row_sum[1], i ? 2 : 1, i ? 1e-6 : 0);
        assert_close(written->row_sum[2], i ? .35 : 1, i ? 1e-6 : 0);
        m = block_of(written);
        assert_int_equal(read_block(read, &m, &reason), 0);
        assert_same_state(read, written);
        ols_free_state(written), ols_free_state(read);
    }
}

/* Written by hand from the table in ols.h. Files with these bytes exist, so a change of the format needs a new
 * version. */
static void a_block_has_the_bytes_that_the_format_says(void **test)
{
    static const unsigned char expected[] = {
        'O',  'L',  'S',  's',  't', 'a', 't',  'e',                          /* magic */
        1,    0,    0,    0,                                                  /* version */
        2,    0,    0,    0,                                                  /* K */
        8,    7,    6,    5,    4,   3,   2,    1,                            /* images */
        0x14, 0x13, 0x12, 0x11, 0,   0,   0,    0,                            /* iterations */
        0x22, 0x21, 0,    0,    0,   0,   0,    0,                            /* updates */
        0x31, 0,    0,    0,    0,   0,   0,    0,                            /* unlabelled */
        0,    0,    0x40, 0x3f, 0,   0,   0x80, 0x3e,                         /* S: .75 .25 */
        0,    0,    0,    0,    0,   0,   0x80, 0x3f,                         /*    0 1 */
        0,    0,    0xc0, 0x3f, 0,   0,   0,    0x3f,                         /* A: 1.5 .5 */
        0,    0,    0,    0,    0,   0,   0,    0,                            /*    0 0 */
        2,    0,    0,    0,    0,   0,   0,    0,    0, 0, 0, 0, 0, 0, 0, 0, /* correct */
        3,    0,    0,    0,    0,   0,   0,    0,    4, 1, 0, 0, 0, 0, 0, 0, /* seen */
        128,  0,    0,    0,    0,   0,   0,    0,                            /* bytes of the block */
        0,    0,    0,    0,                                                  /* CRC-32, below */
        'O',  'L',  'S',  '\n',
    };
    static const unsigned char crc[] = {0x14, 0xb7, 0x56, 0x81}; /* Python's zlib.crc32 of the 120 bytes before */
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(2, &options);
    memory m;
    (void)test;
    state->images = 0x0102030405060708;
    state->iterations = 0x11121314;
    state->updates = 0x2122;
    state->unlabelled = 0x31;
    state->S[0] = .75f, state->S[1] = .25f, state->S[2] = 0, state->S[3] = 1;
    state->A[0] = 1.5f, state->A[1] = .5f;
    state->correct[0] = 2, state->correct[1] = 0;
    state->seen[0] = 3, state->seen[1] = 260;
    m = block_of(state);
    assert_int_equal(m.size, sizeof expected);
    assert_memory_equal(m.bytes, expected, 120);
    assert_memory_equal(m.bytes + 120, crc, sizeof crc);
    assert_memory_equal(m.bytes + 124, expected + 124, 4);
    ols_free_state(state);
}

static void a_block_with_any_byte_changed_is_refused(void **test)
{
    static const unsigned char flips[] = {0x01, 0x80, 0xff};
    ols_state *state = full_state(TINY, 5);
    memory whole = block_of(state);
    size_t at, flip;
    (void)test;
    for (at = 0; at < whole.size; ++at) {
        for (flip = 0; flip < COUNT(flips); ++flip) {
            memory m = whole;
            m.bytes[at] ^= flips[flip];
            assert_block_refused(&m, TINY, "block");
        }
    }
    ols_free_state(state);
}

static void a_block_that_is_cut_off_is_refused(void **test)
{
    ols_state *state = full_state(TINY, 5);
    memory whole = block_of(state);
    size_t size;
    (void)test;
    for (size = 0; size < whole.size; ++size) {
        memory m = whole;
        m.size = size;
        assert_block_refused(&m, TINY, "cut off");
    }
    ols_free_state(state);
}

static void a_block_of_another_class_count_is_refused(void **test)
{
    ols_state *state = full_state(TINY, 5);
    memory m = block_of(state);
    (void)test;
    assert_block_refused(&m, TINY + 1, "another number of classes");
    assert_block_refused(&m, TINY - 1, "another number of classes");
    ols_free_state(state);
}

static void a_header_that_is_none_is_refused(void **test)
{
    static const uint32_t impossible[] = {0, 1, 0x80000000u, 0xffffffffu, (1u << 20) + 1};
    ols_state *state = full_state(TINY, 5);
    memory whole = block_of(state), m;
    uint32_t version = OLS_BLOCK_VERSION + 1;
    const char *reason;
    size_t i;
    int classes;
    (void)test;
    for (i = 0; i < COUNT(impossible); ++i) {
        m = whole;
        memcpy(m.bytes + 12, &impossible[i], 4);
        classes = 1234;
        reason = 0;
        assert_int_equal(ols_read_header(m.bytes, &classes, &reason), -1);
        assert_non_null(reason);
        assert_int_equal(classes, 1234);
    }
    m = whole;
    memcpy(m.bytes + 8, &version, 4);
    assert_int_equal(ols_read_header(m.bytes, &classes, &reason), -1);
    reseal(&m);
    assert_block_refused(&m, TINY, "version");
    m = whole;
    m.bytes[7] = 'E';
    assert_int_equal(ols_read_header(m.bytes, &classes, &reason), -1);
    reseal(&m);
    assert_block_refused(&m, TINY, "does not begin");
    ols_free_state(state);
}

static void a_footer_that_is_none_has_no_length(void **test)
{
    ols_state *state = full_state(TINY, 5);
    memory m = block_of(state);
    unsigned char *footer = m.bytes + m.size - OLS_BLOCK_FOOTER, zeros[OLS_BLOCK_FOOTER] = {0};
    int i;
    (void)test;
    assert_int_equal(ols_footer_length(zeros), 0);
    for (i = 12; i < OLS_BLOCK_FOOTER; ++i) {
        footer[i] ^= 1;
        assert_int_equal(ols_footer_length(footer), 0);
        footer[i] ^= 1;
    }
    assert_int_equal(ols_footer_length(footer), m.size);
    ++footer[0]; /* a valid checksum, but a wrong length */
    reseal(&m);
    assert_block_refused(&m, TINY, "checksum");
    ols_free_state(state);
}

/* Blocks with a valid checksum but values that no training can have. */
static void a_block_of_impossible_values_is_refused(void **test)
{
    static const float bad_soft[][TINY] = {{NAN, 0, 0}, {INFINITY, 0, 0},  {1.5f, -.5f, 0}, {-1, 0, 0},
                                           {2, 0, 0},   {.5f, .5f, 1.01f}, {NAN, NAN, NAN}};
    static const float bad_sums[] = {NAN, INFINITY, -INFINITY, -1e-3f};
    ols_state *state;
    memory m;
    size_t i;
    int y;
    (void)test;
    for (i = 0; i < COUNT(bad_soft); ++i) {
        for (y = 0; y < TINY; ++y) {
            state = full_state(TINY, 5);
            memcpy(state->S + y * TINY, bad_soft[i], sizeof bad_soft[i]);
            m = block_of(state);
            assert_block_refused(&m, TINY, "impossible values");
            ols_free_state(state);
        }
    }
    for (i = 0; i < COUNT(bad_sums); ++i) {
        for (y = 0; y < TINY * TINY; y += TINY * TINY - 1) { /* the first and the last */
            state = full_state(TINY, 5);
            state->A[y] = bad_sums[i];
            m = block_of(state);
            assert_block_refused(&m, TINY, "impossible values");
            ols_free_state(state);
        }
    }
    for (i = 0; i < 6; ++i) {
        state = full_state(TINY, 5);
        if (i == 0) state->correct[TINY - 1] = -1;
        if (i == 1) state->seen[1] = state->correct[1] - 1;
        if (i == 2) state->images = -1;
        if (i == 3) state->iterations = -1;
        if (i == 4) state->updates = -1;
        if (i == 5) state->unlabelled = -1;
        m = block_of(state);
        assert_block_refused(&m, TINY, "impossible values");
        ols_free_state(state);
    }
}

static void writing_stops_where_it_fails(void **test)
{
    ols_state *state = full_state(TINY, 5);
    memory whole = block_of(state);
    int piece, status = -1;
    (void)test;
    for (piece = 1; status; ++piece) {
        memory m;
        memset(&m, 0, sizeof m);
        m.pieces = piece;
        status = ols_write_block(state, write_memory, &m);
        assert_int_equal(m.size == whole.size, status == 0);
        assert_memory_equal(m.bytes, whole.bytes, m.size);
        assert_true(piece < 100);
    }
    assert_true(piece > 3);
    ols_free_state(state);
}

/* A training whose state is written and read back halfway continues as if it had not been interrupted. */
static void a_resumed_training_continues_exactly(void **test)
{
    enum { K = 5, B = 8 };
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *straight = ols_new_state(K, &options), *resumed = ols_new_state(K, &options);
    int i;
    (void)test;
    options.empty = OLS_ROW_ZERO; /* so that the weights of rows matter */
    for (i = 0; i < 20; ++i) {
        ols_state *both[2];
        ols_batch x[2];
        int s;
        both[0] = straight, both[1] = resumed;
        for (s = 0; s < 2; ++s) {
            x[s] = new_batch(K, B, 500 + i);
            forward(x[s], &options, both[s], 1);
            ols_accumulate(both[s], B, x[s].probs, x[s].labels, x[s].hits);
            both[s]->images += B;
            ++both[s]->iterations;
            if (ols_due(both[s], &options, 50)) ols_update(both[s], &options, 50);
        }
        assert_memory_equal(x[0].delta, x[1].delta, K * B * sizeof(float));
        assert_memory_equal(x[0].loss, x[1].loss, B * sizeof(float));
        assert_same_state(straight, resumed);
        if (i % 3 == 0) {
            memory m = block_of(resumed);
            const char *reason;
            ols_free_state(resumed);
            resumed = ols_new_state(K, &options);
            assert_int_equal(read_block(resumed, &m, &reason), 0);
        }
        free_batch(x[0]), free_batch(x[1]);
    }
    assert_int_equal(straight->updates, 3);
    ols_free_state(straight), ols_free_state(resumed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_brings_back_the_state_that_was_written),
        cmocka_unit_test(a_block_brings_back_the_sums_of_rows),
        cmocka_unit_test(a_block_has_the_bytes_that_the_format_says),
        cmocka_unit_test(a_block_with_any_byte_changed_is_refused),
        cmocka_unit_test(a_block_that_is_cut_off_is_refused),
        cmocka_unit_test(a_block_of_another_class_count_is_refused),
        cmocka_unit_test(a_header_that_is_none_is_refused),
        cmocka_unit_test(a_footer_that_is_none_has_no_length),
        cmocka_unit_test(a_block_of_impossible_values_is_refused),
        cmocka_unit_test(writing_stops_where_it_fails),
        cmocka_unit_test(a_resumed_training_continues_exactly),
    };
    return cmocka_run_group_tests_name("ols_encoding", tests, 0, 0) != 0;
}
