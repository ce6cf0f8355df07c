"""`engine: spark`: the stages on Apache Spark, for data that one machine can't hold.

Executors run the pipeline's own functions on one bucket of users after the other; nothing here ranks or measures by
itself. Imported only with this engine.
"""
