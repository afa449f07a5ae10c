/* X_best.json beside weights. A threshold that is taken is from .005 to 1, and otherwise the caller's stays; what the
 * program writes is read as the same threshold. */
#include "fuzz.h"

#include "eval/threshold_file.h"

#include <math.h>
#include <string.h>

static void check_written(const char *weights, double threshold)
{
    char *names[] = {(char *)"cat"};
    double ap[] = {-1}, again = 0;
    best_threshold best = {.threshold = threshold, .f1 = .5, .precision = .5, .recall = .5};
    threshold_record record = {.iteration = 1, .map = .5, .all = best, .classes = 1, .names = names, .ap = ap};
    record.per_class = &best;
    MUST(!weights_file_crc32(weights, &record.weights_crc32));
    MUST(!threshold_file_write(fuzz_path("a_best.json"), &record));
    MUST(threshold_of_weights(weights, &again) && again == threshold);
}

void fuzz(const uint8_t *data, size_t size)
{
    static const char *weights;
    double threshold = -7;
    if (!weights) weights = strdup(fuzz_file_named("a_best.weights", "123456789-its-end", 17)); /* 3421780262 */
    fuzz_file_named("a_best.json", data, size);
    if (!threshold_of_weights(weights, &threshold)) {
        MUST(threshold == -7);
    } else {
        MUST(threshold >= .005 && threshold < 1);
        check_written(weights, threshold);
    }
}
