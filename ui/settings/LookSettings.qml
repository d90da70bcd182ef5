// How Paluku looks.
import QtQuick
import Paluku
import PalukuApp

SettingsGroup {
    id: group

    required property SettingsController settings

    name: qsTr("Appearance")
    restorable: true
    onRestoreWanted: settings.restoreDefaults(SettingsController.Looks)

    SettingRow {
        name: qsTr("Look")

        Segmented {
            name: qsTr("Look")
            choices: [qsTr("System"), qsTr("Light"), qsTr("Dark")]
            current: group.settings.look
            onChosen: index => group.settings.look = index
        }
    }
    SliderRow {
        name: qsTr("Text size")
        valueText: group.settings.textSizeText
        from: 85
        to: 160
        stepSize: 5
        value: group.settings.textSizePercent
        onChosen: value => group.settings.textSizePercent = value
    }
    SettingRow {
        name: qsTr("High contrast")

        Switch {
            text: qsTr("High contrast")
            checked: group.settings.highContrast
            onToggled: group.settings.highContrast = checked
        }
    }
    SettingRow {
        name: qsTr("Reduce motion")

        Switch {
            text: qsTr("Reduce motion")
            checked: group.settings.reduceMotion
            onToggled: group.settings.reduceMotion = checked
        }
    }
}
