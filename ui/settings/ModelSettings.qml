// How models run on this computer.
import QtQuick
import Paluku
import PalukuApp

Column {
    id: models

    required property SettingsController settings
    required property string homeText

    spacing: Theme.s12

    SettingsGroup {
        width: parent.width
        name: qsTr("Models")
        restorable: true
        onRestoreWanted: models.settings.restoreDefaults(SettingsController.Models)

        SettingRow {
            visible: models.homeText.length > 0
            name: qsTr("Computed by")
            hint: models.homeText
        }
        SliderRow {
            name: qsTr("Processor threads")
            valueText: models.settings.threadsText
            to: models.settings.threadsMax
            stepSize: 1
            value: models.settings.threads
            onChosen: value => models.settings.threads = value
        }
        SliderRow {
            name: qsTr("Longest context")
            valueText: models.settings.contextText
            to: 32768
            stepSize: 2048
            value: models.settings.contextTokens
            onChosen: value => models.settings.contextTokens = value
        }
    }
    UiText {
        width: parent.width
        wrapMode: Text.Wrap
        role: Theme.caption
        color: Theme.ink3
        text: qsTr("This holds from the next time a model is made ready.")
    }
}
