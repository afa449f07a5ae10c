// One prediction by OpenCV's dnn module, for deploy.t. Its input and output files are those of predict.c.
//
//     opencv-predict <cfg> <weights> <input> <channels> <height> <width> <out>

#include <opencv2/dnn.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <vector>

int main(int argc, char **argv)
{
    if (argc != 8) {
        std::cerr << "usage: " << argv[0] << " CFG WEIGHTS INPUT CHANNELS HEIGHT WIDTH OUT\n";
        return 1;
    }
    try {
        cv::dnn::Net net = cv::dnn::readNetFromDarknet(argv[1], argv[2]);
        net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        cv::Mat image(std::vector<int>{1, std::atoi(argv[4]), std::atoi(argv[5]), std::atoi(argv[6])}, CV_32F);
        std::streamsize bytes = image.total() * sizeof(float);
        std::ifstream in(argv[3], std::ios::binary);
        if (!in.read((char *)image.data, bytes)) throw std::runtime_error("the input is too short");
        net.setInput(image);
        std::vector<cv::Mat> outputs;
        net.forward(outputs, net.getUnconnectedOutLayersNames());
        std::ofstream out(argv[7], std::ios::binary);
        for (const cv::Mat &output : outputs) out.write((const char *)output.data, output.total() * sizeof(float));
        out.close();
        return out ? 0 : 1;
    } catch (const std::exception &problem) {
        std::cerr << problem.what() << "\n";
        return 1;
    }
}
