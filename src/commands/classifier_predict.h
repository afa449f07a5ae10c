/* What is added to Darknet's `classifier predict`, `classifier try`, `classifier demo` and `classify`. */
#ifndef CLASSIFIER_PREDICT_H
#define CLASSIFIER_PREDICT_H

/* Hook where they know how many classes to print: `top`, or `classes` of a network that has no more; Darknet reads a
 * name and a score from nowhere for each class above that. Ends the program with one line where `top` is not positive,
 * or where the file has fewer names than there are classes. */
int classes_to_print(int top, int classes, char *names_file);

/* Hook in `classifier gun`, which looks at certain classes of ImageNet: ends the program where there are not so many.
 */
void need_outputs(int outputs, int fewest);

#endif
