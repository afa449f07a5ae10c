#include "eval/detection_calibration.h"

#include <string.h>

detection_calibration calibrate_detections(const ap_detection *detections, const ap_match *matches, size_t count)
{
    detection_calibration result;
    int is_probability = 1;
    size_t i;
    memset(&result, 0, sizeof result);
    for (i = 0; i < count; ++i) {
        const double score = detections[i].score;
        if (matches[i].verdict == AP_IGNORED || score < CALIBRATION_LOWEST_SCORE) continue;
        if (score > 1) {
            is_probability = 0;
            continue;
        }
        calibration_add(result.bins, CALIBRATION_BINS, score, matches[i].verdict == AP_TRUE);
        ++result.detections;
    }
    result.ece = result.detections && is_probability ? expected_calibration_error(result.bins, CALIBRATION_BINS) : -1;
    return result;
}
