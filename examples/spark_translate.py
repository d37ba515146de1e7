#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""spark_translate.py INPUT OUTPUT COMMAND: the lines of INPUT through COMMAND, a filter that gives a
line for each, on the executors of Apache Spark.

INPUT and OUTPUT are whatever Spark opens: files, hdfs://, s3a://. OUTPUT becomes a folder whose
part files, in the order of their names, are what one process gives. For example

    spark-submit --master yarn spark_translate.py hdfs:///text.fr hdfs:///text.en \\
        'translate --model /opt/models/fr-en --threads 1 --weights int8'

with the program and the model at the same place on all machines. docs/scaling.md says more.
"""
import argparse

from pyspark.sql import SparkSession


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", metavar="INPUT")
    parser.add_argument("output", metavar="OUTPUT")
    parser.add_argument("command", metavar="COMMAND")
    parser.add_argument(
        "--split-bytes", type=int, default=1 << 20, help="of INPUT for each task (%(default)s)"
    )
    options = parser.parse_args()
    context = SparkSession.builder.appName("translate").getOrCreate().sparkContext
    lines = context.newAPIHadoopFile(
        options.input,
        "org.apache.hadoop.mapreduce.lib.input.TextInputFormat",
        "org.apache.hadoop.io.LongWritable",
        "org.apache.hadoop.io.Text",
        conf={
            # By default a lone CR ends a line, too.
            "textinputformat.record.delimiter": "\n",
            "mapreduce.input.fileinputformat.split.maxsize": str(options.split_bytes),
        },
    ).values()
    lines.pipe(options.command, checkCode=True).saveAsTextFile(options.output)


if __name__ == "__main__":
    main()
