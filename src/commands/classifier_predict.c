#include "commands/classifier_predict.h"

#include "base/error.h"
#include "commands/detector_test.h"

int classes_to_print(int top, int classes, char *names_file)
{
    if (top < 1) die("top=%d is not valid: must be a whole number of classes, from 1 on", top);
    check_names(names_file, classes);
    return top < classes ? top : classes;
}

void need_outputs(int outputs, int fewest)
{
    if (outputs < fewest) die("this is for a network with at least %d classes, not %d", fewest, outputs);
}
