/* The part of the JSON of `darknet detector map` from which a later evaluation of the same images can compare:
 *
 *     "per_image": {"rules": "...", "labels": 305419896, "paths": ["a.jpg", ...],
 *                   "classes": [{"name": "dog", "objects": [1, 1, 4, ...], "ranked": [4, -2, ...]}, ...]}
 *
 * labels is that of map_rankings, objects and ranked are those of class_ranking (map_comparison.h).
 */
#ifndef MAP_FILE_H
#define MAP_FILE_H

#include "data/data_file.h"
#include "eval/map_comparison.h"

enum { RULES_TEXT = 200 };

/* What must be the same for two evaluations to be compared, as one line of at most RULES_TEXT bytes: rule, IoU, recall
 * points, and which objects count. */
void map_rules_text(const ap_options *options, int count_difficult, int voc_label, char *text);

/* Writes "per_image": {...}, without a comma behind it. */
void map_file_write(FILE *out, const valid_data *data, const char *rules, const map_rankings *rankings);

/* Reads that part of the file. `mine`: the objects of this evaluation, with which those in the file must agree, as must
 * the rules, the paths (of each the first 255 bytes are compared) and the names. Returns 0, or 1 after one line on
 * stderr. Free `rankings` with map_rankings_free in either case. */
int map_file_read(const char *path, const valid_data *data, const char *rules, const map_rankings *mine,
                  map_rankings *rankings);

#endif
