/* Detections in files: those of VOC's development kit, and COCO's results.
 *
 * VOC: a folder with one file a class, <anything>_<class>.txt (comp4_det_test_dog.txt, as `detector valid` names them),
 * a line a box: image score xmin ymin xmax ymax. The image is its file's name without folder and ending. Corners count
 * pixels from 1, both ends inside, so a box of continuous coordinates (ap_box) from l to r is written as xmin = l + 1,
 * xmax = r, and read back the same way: that is what voc-to-darknet does to VOC's annotations, and VOC's rule, which
 * takes xmax - xmin + 1 for the width, then finds r - l. (`detector valid` adds 1 to both, because the labels of
 * Darknet's own voc_label.py make boxes a pixel short; see voc_label in detector_map.h.)
 *
 * COCO: one JSON list of {"image_id": 42, "category_id": 18, "bbox": [l, t, width, height], "score": .9}, in continuous
 * coordinates; other keys are passed over. See coco_image_ids and coco_category_id for the numbers.
 *
 * Functions that return an int return 0, or 1 after one line on stderr.
 */
#ifndef DETECTIONS_FILE_H
#define DETECTIONS_FILE_H

#include "eval/average_precision.h"
#include "eval/detect.h"
#include "data/data_file.h"

/* COCO's number of each image: the digits of the file's name (2008_000008.jpg: 2008000008); of a name that begins with
 * "COCO_", the digits behind the last _. Where a file has none, more than 15, or two images have the same, all images
 * are numbered by their place in the list, from 1, and the result is 0; otherwise 1. */
int coco_image_ids(const text_lines *images, long long *ids);

/* COCO's number of a class: class_id + 1; of 80 classes COCO's own, which leave out ten of 1..90 (as in Darknet). */
int coco_category_id(int class_id, int classes);

/* `path`: a folder of VOC's files, or a file of COCO's results. Detections of a class keep the order of the file. It is
 * an error when a box is of an image that is not in the list. */
int detections_read(const char *path, const valid_data *data, detect_result *found);

/* Writes one file a class, comp4_det_test_<class>.txt, into a folder that is made if it is not there. */
int detections_write_voc(const char *folder, const valid_data *data, const detect_result *found);
int detections_write_coco(const char *path, const valid_data *data, const detect_result *found);

#endif
