/* Wrong classes on purpose for a detector: noise= and noise_seed= of a .data file change the classes of objects in the
 * list train=, and nothing else of them.
 *
 * noise=R gives round(R x objects) of the objects in all label files of the list, drawn without replacement, another
 * class, each of the other classes with the same probability; noise_seed= (default 1) says which. The same list, label
 * files and seed give the same classes, whatever -seed is. An image that is listed twice counts twice.
 *
 * As in label_table.h, a path is known by its address. A training has at most one table, which takes 16 bytes an image
 * and 4 an object.
 */
#ifndef OBJECT_NOISE_H
#define OBJECT_NOISE_H

#include "darknet.h"

/* Reads the label files of all images, where the .data file has noise=, draws the classes, and says on stderr how many
 * objects are changed. paths[n] must live as long as the training. Ends the program with one line where a key is not
 * valid, there is one class alone, the head has a map= (`has_map`; then labels are no classes), or a label file is not
 * there or not as label_file.h wants it. Without noise= it does nothing. Called before anything is loaded; what it
 * keeps is that of the last call. */
void use_object_noise(const char *data_file, int classes, int has_map, char **paths, int n);

/* Gives the boxes of an image, in the order of its label file, their classes with noise. Does nothing where the path is
 * not known. Ends the program with one line where the label file has another number of boxes than it had. Any thread
 * may call this. */
void change_classes(const char *path, box_label *boxes, int count);

#endif
