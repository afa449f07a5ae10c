/* Tests of policy=cosine: the learning rate during a run, as get_current_rate returns it to the trainers. */
#include "train/learning_rate.h"

#include "network.h"
#include "helpers/test_helpers.h"

#include <math.h>
#include <string.h>

static size_t seen;

/* 100 iterations of warm-up, 1,100 in total, learning rate from .01 down to .001. */
static network run_of_1100(void)
{
    network net;
    memset(&net, 0, sizeof net);
    net.policy = COSINE;
    net.learning_rate = .01f;
    net.min_lr_ratio = .1f;
    net.burn_in = 100;
    net.max_batches = 1100;
    net.power = 4;
    net.batch = 2;
    net.subdivisions = 4;
    net.seen = &seen;
    return net;
}

static double rate_at(network *net, int iteration)
{
    seen = (size_t)iteration * net->batch * net->subdivisions;
    return get_current_rate(net);
}

static void assert_rate(network *net, int iteration, double expected)
{
    double rate = rate_at(net, iteration);
    if (!(fabs(rate - expected) < 1e-8)) fail_msg("iteration %d: rate %.9g, not %.9g", iteration, rate, expected);
}

static void the_rate_warms_up_and_falls_along_half_a_cosine(void **state)
{
    network net = run_of_1100();
    (void)state;
    assert_rate(&net, 0, 0);
    assert_rate(&net, 50, .01 / 16); /* during burn_in the rate rises with the 4th power */
    assert_rate(&net, 100, .01);
    assert_rate(&net, 350, .001 + .009 * (1 + sqrt(.5)) / 2);
    assert_rate(&net, 600, .001 + .009 / 2);
    assert_rate(&net, 850, .001 + .009 * (1 - sqrt(.5)) / 2);
    assert_rate(&net, 1100, .001);
    assert_rate(&net, 5000, .001);
}

static void the_rate_never_rises_behind_the_warm_up(void **state)
{
    network net = run_of_1100();
    double before = .01;
    int i;
    (void)state;
    for (i = 100; i <= 1200; ++i) {
        double rate = rate_at(&net, i);
        assert_true(rate <= before && rate >= .001 - 1e-9);
        before = rate;
    }
}

static void several_gpus_raise_both_ends(void **state)
{
    network net = run_of_1100();
    (void)state;
    net.learning_rate *= 4; /* as the trainers do */
    assert_rate(&net, 100, .04);
    assert_rate(&net, 1100, .004);
}

static void without_a_warm_up_and_a_minimum_it_goes_from_the_rate_to_0(void **state)
{
    network net = run_of_1100();
    (void)state;
    net.burn_in = 0;
    net.min_lr_ratio = 0;
    assert_rate(&net, 0, .01);
    assert_rate(&net, 550, .005);
    assert_rate(&net, 1100, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_warms_up_and_falls_along_half_a_cosine),
        cmocka_unit_test(the_rate_never_rises_behind_the_warm_up),
        cmocka_unit_test(several_gpus_raise_both_ends),
        cmocka_unit_test(without_a_warm_up_and_a_minimum_it_goes_from_the_rate_to_0),
    };
    return cmocka_run_group_tests(tests, 0, 0);
}
