"""What Mage has and this runner has not: what it is there, and what to use instead."""

from __future__ import annotations


def _connector(store: str, package: str) -> tuple[str, str]:
    return f"its connector for {store}", f"{package} in the block itself"


_SERVER = "mage-project's own commands: blocks need nothing of it"
_PANDAS = "pandas in the block itself"
_PROJECT_FILES = "the project's YAML files, which mage-project reads as Mage does"

#: By the name of a package, module or class of Mage's; a name below one that is listed is part of it.
NOT_HERE: dict[str, tuple[str, str]] = {
    "mage_ai.ai": ("what asks language models", "the model's own client in the block"),
    "mage_ai.api": ("the interface of its server", _SERVER),
    "mage_ai.authentication": ("the accounts of its server", _SERVER),
    "mage_ai.autocomplete": ("a part of its editor", _SERVER),
    "mage_ai.cache": ("a part of its server", _SERVER),
    "mage_ai.cli": ("its command line", "`mage-project run`"),
    "mage_ai.cluster_manager": ("what starts it in clusters", "any scheduler that runs a command: `mage-project run`"),
    "mage_ai.command_center": ("a part of its editor", _SERVER),
    "mage_ai.data": ("how it passes data between blocks", "the arguments that the block's function is given"),
    "mage_ai.data_cleaner": (
        "the rest of its cleaner, which guesses what to clean",
        f"transformer_actions, or {_PANDAS}",
    ),
    "mage_ai.data_cleaner.data_cleaner": (
        "the cleaner that guesses what to clean",
        f"transformer_actions, or {_PANDAS}",
    ),
    "mage_ai.data_cleaner.estimators": (
        "what its cleaner computes with",
        "scikit-learn, or ActionType.REMOVE_OUTLIERS",
    ),
    "mage_ai.data_cleaner.statistics": ("the statistics of its editor", "df.describe()"),
    "mage_ai.data_integrations": ("its Singer sources and destinations", "dlt, or a connector of mage_ai.io"),
    "mage_ai.data_preparation": ("how it keeps pipelines", _PROJECT_FILES),
    "mage_ai.data_preparation.executors": ("what runs its blocks", "`mage-project run`"),
    "mage_ai.data_preparation.git": ("the git of its editor", "git"),
    "mage_ai.data_preparation.logging": ("the log of its server", "kwargs['logger']"),
    "mage_ai.data_preparation.models": ("its own objects for pipelines, blocks and files", _PROJECT_FILES),
    "mage_ai.data_preparation.models.block": ("its object for a block", "upstream_blocks: outputs come as arguments"),
    "mage_ai.data_preparation.models.pipeline": (
        "its object for a pipeline",
        "get_global_variables for the variables, trigger_pipeline to run it",
    ),
    "mage_ai.data_preparation.models.variable": ("how it stores outputs", "the arguments of the block's function"),
    "mage_ai.data_preparation.preferences": ("the preferences of its editor", "environment variables"),
    "mage_ai.data_preparation.storage": ("where it stores outputs", "mage_ai.io.s3.S3 or GoogleCloudStorage"),
    "mage_ai.data_preparation.sync": ("the git of its editor", "git"),
    "mage_ai.data_preparation.templates": ("the templates of its editor", "`mage-project copy`"),
    "mage_ai.data_preparation.utils": ("the inside of its editor", _SERVER),
    "mage_ai.data_preparation.variable_manager.VariableManager": (
        "how it stores outputs",
        "the arguments of the block's function",
    ),
    "mage_ai.errors": ("the errors of its server", "Python's own, which fail the block as well"),
    "mage_ai.extensions": ("Great Expectations in a block", "functions with @test"),
    "mage_ai.frameworks": ("its frameworks for pipelines", "blocks"),
    "mage_ai.io": ("a connector", "the store's own client in the block itself"),
    "mage_ai.io.airtable": _connector("Airtable", "pyairtable"),
    "mage_ai.io.algolia": _connector("Algolia", "algoliasearch"),
    "mage_ai.io.azure_blob_storage": _connector("Azure Blob Storage", "azure-storage-blob"),
    "mage_ai.io.backblaze_b2": ("its connector for Backblaze B2", "mage_ai.io.s3.S3 with endpoint_url: B2 speaks S3"),
    "mage_ai.io.chroma": _connector("Chroma", "chromadb"),
    "mage_ai.io.clickhouse": _connector("ClickHouse", "clickhouse-connect"),
    "mage_ai.io.druid": _connector("Druid", "pydruid"),
    "mage_ai.io.google_sheets": _connector("Google Sheets", "gspread"),
    "mage_ai.io.io_config": ("an old form of io_config.yaml", "mage_ai.io.config.ConfigFileLoader"),
    "mage_ai.io.mongodb": _connector("MongoDB", "pymongo"),
    "mage_ai.io.mssql": _connector("SQL Server", "pyodbc"),
    "mage_ai.io.mysql": _connector("MySQL", "mysql-connector-python, or SQLAlchemy,"),
    "mage_ai.io.oracledb": _connector("Oracle", "oracledb"),
    "mage_ai.io.pinot": _connector("Pinot", "pinotdb"),
    "mage_ai.io.qdrant": _connector("Qdrant", "qdrant-client"),
    "mage_ai.io.redshift": _connector("Redshift", "redshift-connector"),
    "mage_ai.io.snowflake": _connector("Snowflake", "snowflake-connector-python"),
    "mage_ai.io.spark": _connector("Spark", "pyspark"),
    "mage_ai.io.sql": ("what its connectors share", "SQLAlchemy, or mage_ai.io.base.BaseSQLConnection"),
    "mage_ai.io.trino": _connector("Trino", "trino"),
    "mage_ai.io.utils": ("what its connectors share", "query parameters of the store's client: never texts in quotes"),
    "mage_ai.io.weaviate": _connector("Weaviate", "weaviate-client"),
    "mage_ai.kernels": ("what runs the code of its editor", _SERVER),
    "mage_ai.orchestration": ("its scheduler", "triggers.yaml, or mage_ai.orchestration.triggers.api"),
    "mage_ai.orchestration.db": ("the database of its scheduler", "the records of mage-project's runs"),
    "mage_ai.presenters": ("a part of its pages", _SERVER),
    "mage_ai.sample_datasets": ("small data sets for trying it", "files of the project: FileIO"),
    "mage_ai.server": ("its server", _SERVER),
    "mage_ai.services": ("its clients of cloud services", "the service's own client in the block itself"),
    "mage_ai.services.aws": ("its clients of AWS", "boto3, or mage_ai.io.s3.S3"),
    "mage_ai.services.slack": ("its messages to Slack", "a block of the type callback that posts to the webhook"),
    "mage_ai.services.spark": ("its sessions of Spark", "pyspark in the block itself"),
    "mage_ai.settings": ("the settings of its server", "mage_ai.settings.repo, or environment variables"),
    "mage_ai.shared": ("its inner helpers", "Python's own library: hash, array, strings, utils and others are here"),
    "mage_ai.streaming": (
        "its streaming sources and sinks",
        "the source's client: loaders may return an iterator",
    ),
    "mage_ai.system": ("what measures its memory", "the bytes and peaks that mage-project shows for each block"),
    "mage_ai.tests": ("its own tests", "pytest"),
    "mage_ai.usage_statistics": ("what reports its use to its makers", "nothing: this runner reports nothing"),
    "mage_ai.utils": ("its inner helpers", "Python's own library"),
    "mage_ai.version_control": ("the git of its editor", "git"),
}
