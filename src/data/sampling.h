/* sampling= of a .data file: which images a training loads.
 *
 *   (absent)   Darknet's rule: every image is drawn from the whole list, so that in an epoch some come several times
 *              and more than a third of them not at all
 *   epoch      every image comes once an epoch, in an order that depends on the seed and the number of the epoch
 *
 * With sampling=epoch the images of a training stand in one row, epoch after epoch. A batch takes the next ones: the
 * one that reaches the end of an epoch goes on in the next epoch. The place in the row is the number of images seen,
 * which a checkpoint holds; a training that is resumed with the same -seed therefore goes on with the image after the
 * last one that it learnt from. (With several GPUs Darknet adds up the images of all of them in every fourth iteration
 * only: a checkpoint written in between says too few, and some images come a second time.) With random=1, Darknet loads
 * a batch and throws it away at every new size; its images are put back, and come in the batch after.
 *
 * load_threads divides a batch into parts, and the parts are loaded in any order: each is told its first place in the
 * row.
 */
#ifndef SAMPLING_H
#define SAMPLING_H

/* Whether sampling= of a .data file has an unknown value: returns 1 after one line on stderr, or 0. */
int sampling_check(const char *data_file);

/* Reads sampling= of a .data file. `count` is the length of the training list, `seen` how many images the network has
 * seen. Ends the program with one line where the value is unknown. Call it when the seed is set, before anything is
 * loaded. */
void sampling_begin(const char *data_file, int count, unsigned long long seen);

/* The next n places of the row are one part's: returns the first one, counted from 1; 0 without sampling=epoch. Calls
 * come from one thread at a time. */
unsigned long long sampling_next_part(int n);

/* The last n places were not used: they come again. */
void sampling_put_back(int n);

/* The calling thread loads the part that begins at this place; 0: it draws. */
void sampling_use_part(unsigned long long place);

/* The index of the next image, of `count`: that of the calling thread's place, which moves on, or a random one. Calls
 * come from one thread at a time (Darknet's get_random_paths holds a lock). */
int sample_image(int count);

#endif
