/* Tests of src/train/epochs.h: when a training updates its soft labels, and what it prints. */
#include "helpers/test_networks.h"

/* 6 images per iteration in 3 subdivisions, 16 per epoch: updates after 18, 36, 48, ..., the first complete iterations
 * with at least 16, 32, 48, ... images. */
static void an_update_comes_when_an_epoch_of_images_was_seen_and_the_rest_is_carried_over(void **state)
{
    network *net = network_of(51, EPOCH, 6, 3, 0., .05);
    ols_state *s = state_of(net);
    int i, part, seen = 0, epoch = 16;
    (void)state;
    begin(&net, 1, epoch, CLASSES, 0);
    for (i = 0; i < 12; ++i) {
        for (part = 0; part < 3; ++part) {
            int before = (int)s->updates;
            assert_int_equal(before, seen / epoch); /* of the iterations that are complete */
            step(net, 6 * i + 2 * part);
            /* within an iteration nothing is updated, even if an epoch is over */
            if (part < 2) assert_int_equal(s->updates, before);
        }
        seen += 6;
        assert_int_equal(s->updates, seen / epoch);
        assert_int_equal(s->images, seen % epoch);
    }
    free_network(net);
}

static void a_batch_larger_than_the_list_updates_once_and_stays_in_step(void **state)
{
    network *net = network_of(52, EPOCH, 8, 1, 0., .05);
    ols_state *s = state_of(net);
    int i;
    (void)state;
    begin(&net, 1, 3, CLASSES, 0);
    for (i = 0; i < 4; ++i) {
        iterate(net, i);
        assert_int_equal(s->updates, i + 1);
        assert_int_equal(s->iterations, 0);
        assert_true(s->images < 3);
    }
    free_network(net);
}

static void a_period_counts_iterations_and_needs_no_trainer(void **state)
{
    network *net = network_of(53, EPOCH "period=3\n", 4, 2, 0., .05);
    ols_state *s = state_of(net);
    int i;
    (void)state;
    for (i = 0; i < 10; ++i) {
        iterate(net, i);
        assert_int_equal(s->updates, (i + 1) / 3);
        assert_int_equal(s->iterations, (i + 1) % 3);
    }
    free_network(net);
}

static void train_in_child(void *net)
{
    put_batch((network *)net, 0);
    train_network_datum((network *)net);
}

static void an_epoch_without_a_trainer_ends_with_one_line(void **state)
{
    network *net = network_of(54, EPOCH, 2, 1, 0., .05);
    char words[4096];
    (void)state;
    assert_int_equal(status_of(train_in_child, net, words, sizeof words), 1);
    assert_int_equal(strncmp(words, "darknet: [ols] (layer 3): period=epoch needs a trainer", 54), 0);
    assert_ptr_equal(strchr(words, '\n'), words + strlen(words) - 1);
    free_network(net);
}

static void an_update_prints_one_line_with_the_names_of_the_classes(void **state)
{
    network *net = network_of(55, EPOCH, 8, 1, 0., .05);
    const char *line;
    int i, correct;
    (void)state;
    write_file("names", "apple\nbread\ncheese\ndates\negg\n");
    begin(&net, 1, 40, CLASSES, in_folder("names"));
    for (i = 0; i < 4; ++i) {
        iterate(net, i);
        assert_null(strstr(said(), "soft labels"));
    }
    iterate(net, 4);
    line = strstr(said(), "[ols] soft labels, epoch 1: ");
    assert_non_null(line);
    assert_int_equal(sscanf(line, "[ols] soft labels, epoch 1: %d/37 correct", &correct), 1); /* 3 of 40 unlabelled */
    assert_non_null(strstr(line, "/37 correct ("));
    assert_non_null(strstr(line, "mean S[y][y] "));
    assert_non_null(strstr(line, "mean entropy "));
    assert_non_null(strstr(line, ", strongest: "));
    assert_true(strstr(line, "apple -> ") || strstr(line, "bread -> ") || strstr(line, "cheese -> ") ||
                strstr(line, "dates -> ") || strstr(line, "egg -> "));
    assert_non_null(strstr(line, "(3 images had no single label)"));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    free_network(net);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(an_update_comes_when_an_epoch_of_images_was_seen_and_the_rest_is_carried_over),
        TEST(a_batch_larger_than_the_list_updates_once_and_stays_in_step),
        TEST(a_period_counts_iterations_and_needs_no_trainer),
        TEST(an_epoch_without_a_trainer_ends_with_one_line),
        TEST(an_update_prints_one_line_with_the_names_of_the_classes),
    };
    (void)argc;
    begin_network_tests(argv);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
