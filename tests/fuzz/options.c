/* Smoothing keys and their values, one key=value a line. What is taken is a number or name that its key allows: set
 * again, it gives the same options, none of them NaN. What is refused changes nothing, and is told what is allowed. */
#include "fuzz.h"

#include "ols/ols.h"

#include <string.h>

static void check_ranges(const ols_options *o)
{
    MUST(ols_smoothing_name(o->smoothing) && o->alpha >= 0 && o->alpha <= 1 && o->soft_weight <= 10);
    MUST(o->epsilon >= 0 && o->epsilon <= 1 && o->period >= 0 && o->start >= 0 && o->soft_temperature >= .09f);
    MUST(o->decay >= 0 && o->decay < 1 && o->freeze >= 0 && o->freeze <= 1);
    MUST(o->boot_beta <= 1 && o->disturb_alpha >= 0 && o->disturb_alpha <= 1 && o->sce_alpha >= 0 && o->sce_beta >= 0);
    MUST(o->sce_a >= -20 && o->sce_a <= 0 && o->gce_q >= 0 && o->gce_q <= 1 && o->pc_lambda >= 0 && o->pc_start >= 0);
    MUST(o->tfkd_alpha >= 0 && o->tfkd_alpha <= 1 && o->tfkd_c >= 0 && o->tfkd_c <= 1 && o->tfkd_temperature >= 1);
}

void fuzz(const uint8_t *data, size_t size)
{
    ols_options options = ols_default_options(OLS_OLS);
    char *text = fuzz_text(data, size), *rest = 0, *line;
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(0, "\n", &rest)) {
        const ols_options before = options;
        ols_options again;
        char *equals = strchr(line, '='), range[200] = "";
        double number;
        if (!equals) continue;
        *equals = 0;
        if (ols_set_option(&options, line, equals + 1, range, sizeof range)) {
            MUST(!ols_option_difference(&options, &before) && *range);
        } else {
            again = options;
            MUST(!ols_set_option(&again, line, equals + 1, range, sizeof range));
            MUST(!ols_option_difference(&again, &options) && !ols_option_difference(&options, &options));
        }
        check_ranges(&options);
        if (!ols_parse_number(equals + 1, -5, 5, &number)) MUST(number >= -5 && number <= 5);
    }
    free(text);
}
