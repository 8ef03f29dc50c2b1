"""mage_ai.orchestration"""
