/* Reads and writes detections in the formats of VOC's development kit and of COCO's results.
 *
 * VOC: a folder with one file per class, <anything>_<class>.txt (comp4_det_test_dog.txt, as `detector valid` names
 * them), with one line per box: image score xmin ymin xmax ymax. `image` is the file name of the image without folder
 * and extension. xmin, xmax, ... are pixel numbers that start at 1, and both end pixels belong to the box: a box from l
 * to r in continuous coordinates (ap_box) is written as xmin = l + 1, xmax = r, and read back in the same way.
 * voc-to-darknet converts VOC's annotations in this way, too, and the width by VOC's rule, xmax - xmin + 1, is then r -
 * l. (`detector valid` adds 1 to both ends, because the labels of Darknet's own voc_label.py make boxes one pixel too
 * short; see -voc_label in detector_map.h.)
 *
 * COCO: a JSON list of {"image_id": 42, "category_id": 18, "bbox": [l, t, width, height], "score": .9}, in continuous
 * coordinates; other keys are skipped. category_id is the number of the class + 1; with 80
 * classes it is COCO's own id, 1..90 with ten ids unused (as in Darknet). coco_image_ids says what image_id is.
 *
 * The reading and writing functions return 0, or 1 after one line on stderr.
 */
#ifndef DETECTIONS_FILE_H
#define DETECTIONS_FILE_H

#include "eval/average_precision.h"
#include "eval/detect.h"
#include "data/data_file.h"

/* Determines the COCO image_id of each image: all digits in the file's name (2008_000008.jpg: 2008000008); if the name
 * begins with "COCO_", the digits after the last _. If a name has no digits or more than 15, or two images get the same
 * id, then every id is the image's place in the list, from 1. ids[images->count] is the caller's. Returns 1 if the ids
 * come from the names, otherwise 0. */
int coco_image_ids(const text_lines *images, long long *ids);

/* Reads detections from `path`: a folder is read as VOC's files, a file as COCO's results. The detections of a class
 * keep the order of the file. A box of an image that is not in data->images is an error. `found` is overwritten; the
 * caller frees found->detections, also after an error. */
int detections_read(const char *path, const valid_data *data, detect_result *found);

/* Write detections: one file comp4_det_test_<class>.txt per class, in a folder that is created if needed; or one JSON
 * file. */
int detections_write_voc(const char *folder, const valid_data *data, const detect_result *found);
int detections_write_coco(const char *path, const valid_data *data, const detect_result *found);

#endif
